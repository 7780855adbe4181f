using System.Text.Json.Nodes;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>Secrets from the mounted folder to the processes of containers, and nowhere else.</summary>
public sealed class SecretTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_rotated_Secret_restarts_only_what_uses_it_and_its_value_is_nowhere_to_be_read()
    {
        await using var enclave = LocalEnclave.Start(Apps, ("db/password", "first-s3cret"), ("db/unused", "unused-s3cret"), ("tls/key", "file-s3cret"));
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        var (user, bystander) = (Plugin(enclave, "user"), Plugin(enclave, "bystander"));
        EnvironmentOf(user).ShouldContain("PASSWORD=first-s3cret");
        File.ReadAllText(Path.Combine(MountOf(user, "/tls"), "key")).ShouldBe("file-s3cret");
        File.ReadAllText(Path.Combine(MountOf(user, "/etc/app"), "app.conf")).ShouldBe("measured\n");

        enclave.Host.WriteSecret("db/unused", "other-s3cret");
        enclave.Host.WriteSecret("db/password", "second-s3cret");
        await Eventually.Holds("a new process with the new value", Soon, () => Task.FromResult(
            Plugins(enclave, "user") is [var now] && now != user && EnvironmentOf(now).Contains("PASSWORD=second-s3cret", StringComparison.Ordinal)), enclave.Host.Explain);
        Plugin(enclave, "bystander").ShouldBe(bystander);
        enclave.Host.WriteSecret("tls/key", "third-s3cret");
        await Eventually.Holds("a new process with the new file", Soon, () => Task.FromResult(
            Plugins(enclave, "user") is [var now] && File.ReadAllText(Path.Combine(MountOf(now, "/tls"), "key")) == "third-s3cret"), enclave.Host.Explain);

        await enclave.Host.UntilReadyAsync(Soon);
        var status = await enclave.Host.StatusAsync();
        var app = status["containers"]!.AsArray().Single(container => (string?)container!["name"] == "user")!;
        app["restarts"]!.GetValue<int>().ShouldBe(2);
        app["lastTermination"]!["message"]!.GetValue<string>().ShouldBe("a Secret that it uses has changed");
        status["boots"]!.GetValue<int>().ShouldBe(1);
        var metrics = await enclave.Host.MetricsAsync();
        metrics.ShouldContain("enclave_container_restarts_total{container=\"user\"} 2\n");
        metrics.ShouldContain("enclave_container_ready{container=\"bystander\"} 1\n");
        enclave.Host.Output.ShouldContain("mounted Secrets have changed");
        var arguments = string.Join(' ', enclave.Host.Processes().Select(process => File.ReadAllText($"/proc/{process.Id}/cmdline")));
        foreach (var text in new[] { status.ToJsonString(), metrics, enclave.Host.Output, arguments })
            text.ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task A_container_whose_Secret_is_missing_says_so_and_starts_when_it_comes()
    {
        await using var enclave = LocalEnclave.Start(Apps, ("tls/key", "x"));
        await Eventually.Holds("the status says what is missing", Soon, async () => (await enclave.Host.StatusAsync())["containers"] is JsonArray { Count: 2 } containers
            && containers.Any(container => (string?)container!["reason"] == "CreateContainerConfigError"
                && ((string?)container["message"])!.Contains("variable PASSWORD: there is no key password in a Secret db", StringComparison.Ordinal)), enclave.Host.Explain);
        enclave.Host.WriteSecret("db/password", "now");
        await enclave.Host.UntilReadyAsync(Soon);
    }

    private static EnclaveManifest Apps(ManifestContainer app)
    {
        var content = "measured\n"u8.ToArray();
        var user = app with
        {
            Name = "user",
            Env = [.. app.Env, new() { Name = "ROLE", Value = "user" }, new() { Name = "PASSWORD", Secret = new() { Name = "db", Key = "password" } }],
            Mounts = [new() { Volume = "tls", Path = "/tls", ReadOnly = true }, new() { Volume = "config", Path = "/etc/app", ReadOnly = true }],
        };
        var bystander = app with { Name = "bystander", Env = [.. app.Env, new() { Name = "ROLE", Value = "bystander" }], Command = ["/bin/sleep", "1000"], Ports = [] };
        return Manifests.One(user) with
        {
            Containers = [user, bystander],
            Volumes =
            [
                new() { Name = "tls", Secret = new() { Name = "tls", Mode = 420 } },
                new() { Name = "config", Files = [new() { Path = "app.conf", Mode = 420, Text = "measured\n", Digest = Convert.ToHexStringLower(ManifestCodec.Digest(content)) }] },
            ],
        };
    }

    private static int Plugin(LocalEnclave enclave, string role) => Plugins(enclave, role).ShouldHaveSingleItem();

    private static IReadOnlyList<int> Plugins(LocalEnclave enclave, string role) =>
        [.. enclave.Host.Processes().Where(process => process.Name is "perl" or "sleep" && EnvironmentOf(process.Id).Contains($"ROLE={role}\n", StringComparison.Ordinal)).Select(process => process.Id)];

    private static string MountOf(int process, string path) =>
        EnvironmentOf(process).Split('\n').Single(line => line.Contains(path + "=", StringComparison.Ordinal)).Split('=')[^1];

    private static string EnvironmentOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/environ").Replace('\0', '\n');
        }
        catch (IOException)
        {
            // It has just ended.
            return "";
        }
    }
}
