using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The chart's seccomp profile on a real node: how it gets there, what it lets run, and what is said where another one does not.</summary>
public sealed class SeccompTests
{
    private const string Profile = "enclaves/enclave-host.json";
    private const string Blocking = "enclaves/blocks-vsock.json";

    private static readonly TimeSpan PodLimit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task The_charts_profile_gets_onto_the_node_and_lets_EnclaveHost_run_where_one_without_AF_VSOCK_stops_it()
    {
        var values = await Release.Values();
        await Release.Upgrade(values, "--set", "enclave.seccompInstaller.enabled=true", "--set", $"enclave.seccompProfile=Localhost:{Profile}");
        try
        {
            await using var hello = await Deployed.Apply();
            await hello.UntilReady();
            (await hello.Answer()).ShouldContain("hello from inside the enclave");
            var pod = await hello.Pod();
            var host = pod["spec"]!["containers"]![0]!;
            ((string?)host["securityContext"]!["seccompProfile"]!["localhostProfile"]).ShouldBe(Profile);

            (await Checked(hello.Namespace, host, "allowed", Profile)).ShouldContain("ok     sockets of AF_VSOCK\n");
            await PutOntoTheNode(hello.Namespace, host);
            (await Checked(hello.Namespace, host, "blocked", Blocking)).ShouldContain("lacks  sockets of AF_VSOCK: are blocked by the pod's seccomp profile");
            (await EndOfEnclaveHost(hello.Namespace, host, (string)pod["metadata"]!["annotations"]!["k8s.oblv.com/manifest"]!)).ShouldContain("the seccomp profile blocks it: use one that allows AF_VSOCK, as the chart's does");
        }
        finally
        {
            await Release.Upgrade(values);
        }
    }

    // As RuntimeDefault of newer container runtimes: everything else, and no AF_VSOCK. By the program that the chart's DaemonSet runs.
    private static async Task PutOntoTheNode(string @namespace, JsonNode host)
    {
        var profile = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Deployed.Repository, "charts/enclaves/seccomp/enclave-host.json")))!;
        var rules = profile["syscalls"]!.AsArray();
        rules.Remove(rules.Single(rule => (string?)rule!["comment"] == "AF_VSOCK"));
        await Kubectl.Apply(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject { ["name"] = "profile" },
            ["data"] = new JsonObject { ["profile.json"] = profile.ToJsonString() },
        }.ToJsonString(), @namespace);
        await Run(@namespace, "installer", host, ["install-profile", "/profile/profile.json", $"/kubelet/{Blocking}"], spec =>
        {
            spec["volumes"] = new JsonArray(
                new JsonObject { ["name"] = "profile", ["configMap"] = new JsonObject { ["name"] = "profile" } },
                new JsonObject { ["name"] = "kubelet", ["hostPath"] = new JsonObject { ["path"] = "/var/lib/kubelet/seccomp" } });
            spec["containers"]![0]!["volumeMounts"] = new JsonArray(
                new JsonObject { ["name"] = "profile", ["mountPath"] = "/profile" }, new JsonObject { ["name"] = "kubelet", ["mountPath"] = "/kubelet" });
            spec["securityContext"] = new JsonObject { ["runAsUser"] = 0 };
        });
        await Eventually.Holds("the profile is written", PodLimit, async () => (await Kubectl.Run("logs", "installer", "-n", @namespace)).Contains("is written", StringComparison.Ordinal),
            () => Kubectl.Run("describe", "pod", "installer", "-n", @namespace));
    }

    private static async Task<string> Checked(string @namespace, JsonNode host, string name, string profile)
    {
        await Run(@namespace, name, host, ["check-node", "--driver", "nitro"], spec => spec["securityContext"] = Confined(profile));
        await Ended(@namespace, name);
        return await Kubectl.Run("logs", name, "-n", @namespace);
    }

    private static async Task<string> EndOfEnclaveHost(string @namespace, JsonNode host, string manifest)
    {
        await Run(@namespace, "host", host, ["--driver", "nitro", "--max-boots", "1", "--manifest", "/etc/enclave/manifest/manifest.json", "--run-dir", "/tmp"], spec =>
        {
            spec["securityContext"] = Confined(Blocking);
            spec["volumes"] = new JsonArray(new JsonObject { ["name"] = "manifest", ["configMap"] = new JsonObject { ["name"] = manifest } });
            spec["containers"]![0]!["volumeMounts"] = new JsonArray(new JsonObject { ["name"] = "manifest", ["mountPath"] = "/etc/enclave/manifest" });
        });
        var state = await Ended(@namespace, "host");
        return (string?)state["message"] ?? "no termination message";
    }

    private static JsonObject Confined(string profile) => new()
    {
        ["runAsUser"] = 65532,
        ["seccompProfile"] = new JsonObject { ["type"] = "Localhost", ["localhostProfile"] = profile },
    };

    private static async Task Run(string @namespace, string name, JsonNode host, string[] arguments, Action<JsonObject> change)
    {
        var spec = new JsonObject
        {
            ["restartPolicy"] = "Never",
            ["automountServiceAccountToken"] = false,
            ["terminationGracePeriodSeconds"] = 1,
            ["containers"] = new JsonArray(new JsonObject
            {
                ["name"] = "enclave-host",
                ["image"] = (string?)host["image"],
                ["args"] = new JsonArray([.. arguments.Select(argument => (JsonNode)argument)]),
            }),
        };
        change(spec);
        await Kubectl.Apply(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec }.ToJsonString(), @namespace);
    }

    private static Task<JsonNode> Ended(string @namespace, string name) => Eventually.Get<JsonNode>($"pod {name} has ended", PodLimit,
        async () => (await Kubectl.Get("pod", name, "-n", @namespace))["status"]!["containerStatuses"]?[0]?["state"]?["terminated"],
        () => Kubectl.Run("describe", "pod", name, "-n", @namespace));
}
