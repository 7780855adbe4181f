using System.Text.Json.Nodes;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Vm;

/// <summary>What containers in the enclave can see, use and do, as they find out themselves: one machine, a container for each question.</summary>
public sealed class ConfinementTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);

    // What a process knows of its own privileges, on one line.
    private const string Privileges = "$(busybox id -u):$(busybox id -g) $(busybox grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status | busybox tr -d ':' | busybox tr '\\t\\n' '= ')";
    private const string Limits = "memory $(busybox cat /sys/fs/cgroup/memory.max) cpu $(busybox cat /sys/fs/cgroup/cpu.max)";
    private const string Volumes =
        "config '$(busybox cat /etc/app/sub/app.conf)' secret '$(busybox cat /secret/token)' variable '$TOKEN' " +
        "part '$(busybox touch /part/mark && busybox ls /scratch/a/b)' full '$(busybox dd if=/dev/zero of=/scratch/x bs=1M count=4 2>&1 | busybox grep -c space)' " +
        "readonly '$(busybox touch /etc/app/x 2>&1 | busybox grep -c Read-only)'";

    [Fact]
    public async Task Containers_have_what_their_manifest_says_and_no_more()
    {
        await using var machine = Machine.Start(Manifest, ("db/token", "one"));
        await Eventually.Holds("every container has said what it found", Machine.ReadyLimit, async () => (await Containers(machine)).Count(IsEnded) == 4, machine.Host.Explain);
        Said(machine, "plain").ShouldBe("65532:65532 CapEff=0000000000000000 CapBnd=0000000000000000 NoNewPrivs=1 Seccomp=2 memory max cpu max 100000 root 0");
        Said(machine, "limited").ShouldBe("1000:2000 CapEff=0000000000000000 CapBnd=0000000000000400 NoNewPrivs=1 Seccomp=2 memory 67108864 cpu 50000 100000 root 1");
        Said(machine, "mounts").ShouldBe("config 'measured' secret 'one' variable 'one' part 'mark' full '1' readonly '1'");
        var hungry = (await Containers(machine)).Single(container => (string?)container["name"] == "hungry")["lastTermination"]!;
        $"{hungry["reason"]} {hungry["exitCode"]} {hungry["signal"]}".ShouldBe("OOMKilled 137 9");
        machine.Host.Output.ShouldContain("the root is read-only");

        Said(machine, "app").ShouldBe("one");
        machine.Host.WriteSecret("db/token", "two");
        await Eventually.Holds("the container that runs has the new value", Soon, () => Task.FromResult(Said(machine, "app") == "two"), machine.Host.Explain);
        await Eventually.Holds("and is ready again", Soon, async () => (await Containers(machine)).Single(container => (string?)container["name"] == "app") is { } app
            && (bool)app["ready"]! && (string?)app["lastTermination"]!["reason"] == "SecretRotated", machine.Host.Explain);
        (await machine.Host.StatusAsync())["boots"]!.GetValue<int>().ShouldBe(1);
    }

    private static EnclaveManifest Manifest(ManifestContainer app)
    {
        var asks = app with { Ports = [], RestartPolicy = "Never" };
        var token = new ManifestSecretKey { Name = "db", Key = "token" };
        return Manifests.One(app, app.Image.Split('/')[0]) with
        {
            Volumes =
            [
                new() { Name = "config", Files = [new() { Path = "sub/app.conf", Mode = 420, Text = "measured", Digest = Convert.ToHexStringLower(ManifestCodec.Digest("measured"u8)) }] },
                new() { Name = "secret", Secret = new() { Name = "db", Mode = 420 } },
                new() { Name = "scratch", EmptyDir = new() { SizeBytes = 1 << 20 } },
            ],
            Containers =
            [
                app with
                {
                    Command = ["/bin/sh", "-c", "echo \"says: $TOKEN\"; exec /usr/bin/serve"],
                    Env = [.. app.Env, new() { Name = "TOKEN", Secret = token }],
                    ReadinessProbe = new()
                    {
                        Exec = ["/bin/busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"],
                        InitialDelaySeconds = 0, PeriodSeconds = 2, TimeoutSeconds = 10, SuccessThreshold = 1, FailureThreshold = 3,
                    },
                },
                Says(asks, "plain", $"{Privileges}{Limits} root $(busybox touch /x 2>&1 | busybox grep -c Read-only)"),
                Says(asks, "limited", $"{Privileges}{Limits} root $(busybox touch /x 2>&1 | busybox grep -c Read-only)") with
                {
                    Resources = new() { CpuMillis = 500, MemoryBytes = 64 << 20 },
                    Security = new() { RunAsUser = 1000, RunAsGroup = 2000, ReadOnlyRootFilesystem = true, AddCapabilities = ["NET_BIND_SERVICE"] },
                },
                Says(asks, "mounts", Volumes) with
                {
                    Env = [.. app.Env, new() { Name = "TOKEN", Secret = token }],
                    Mounts =
                    [
                        new() { Volume = "config", Path = "/etc/app", ReadOnly = true }, new() { Volume = "secret", Path = "/secret", ReadOnly = true },
                        new() { Volume = "scratch", Path = "/scratch", ReadOnly = false }, new() { Volume = "scratch", Path = "/part", SubPath = "a/b", ReadOnly = false },
                    ],
                },
                asks with
                {
                    Name = "hungry",
                    Command = ["/bin/busybox", "dd", "if=/dev/zero", "of=/dev/shm/x", "bs=1M", "count=60"],
                    Resources = new() { MemoryBytes = 16 << 20 },
                },
            ],
        };
    }

    private static ManifestContainer Says(ManifestContainer container, string name, string text) =>
        container with { Name = name, Command = ["/bin/sh", "-c", $"echo \"says: {text}\""] };

    private static string Said(Machine machine, string container)
    {
        foreach (var line in machine.Host.Output.Split('\n').Where(line => line.StartsWith('{')).Reverse())
        {
            var entry = JsonNode.Parse(line)!;
            if ((string?)entry["container"] == container && (string?)entry["text"] is { } text && text.StartsWith("says: ", StringComparison.Ordinal))
                return text["says: ".Length..];
        }

        return $"nothing\n{machine.Host.Output}";
    }

    private static async Task<IReadOnlyList<JsonNode>> Containers(Machine machine) =>
        [.. ((await machine.Host.StatusAsync())["containers"]?.AsArray() ?? []).Select(container => container!)];

    private static bool IsEnded(JsonNode container) => (string?)container["state"] == "Terminated";
}
