using System.Net;
using System.Text.Json.Nodes;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>How containers begin and end: by role, by restart policy, by exit code and by signal.</summary>
public sealed class LifeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Roles_start_in_order_and_stop_in_reverse()
    {
        string[] roles = [ContainerRole.Base, ContainerRole.Telemetry, ContainerRole.User];
        await using var enclave = LocalEnclave.Start(app => Manifests.One(app) with
        {
            Containers = [.. roles.Select(role => Shell(app, $"app-{role}", "trap 'echo down; exit 0' TERM; while :; do sleep 0.05; done") with { Role = role })],
        });
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        var containers = (await enclave.Host.StatusAsync())["containers"]!.AsArray();
        containers.Select(container => (string)container!["name"]!).ShouldBe(roles.Select(role => $"app-{role}"));
        containers.Select(container => container!["startedAt"]!.GetValue<DateTimeOffset>()).ShouldBeInOrder();

        enclave.Host.Signal(ProcessTable.SigTerm);
        (await enclave.Host.ExitAsync(Soon)).ShouldBe(0);
        var down = enclave.Host.Output.Split('\n').Where(line => line.Contains("\"text\":\"down\"", StringComparison.Ordinal))
            .Select(line => (string)JsonNode.Parse(line)!["container"]!);
        down.ShouldBe(roles.Reverse().Select(role => $"app-{role}"));
    }

    [Theory]
    [InlineData("Never", "exit 0", "Completed", 0, null)]
    [InlineData("OnFailure", "exit 0", "Completed", 0, null)]
    [InlineData("Never", "exit 3", "Error", 3, null)]
    [InlineData("Never", "kill -9 $$", "Error", 137, 9)]
    public async Task A_container_that_is_not_started_again_says_how_it_ended(string policy, string ends, string reason, int code, int? signal)
    {
        await using var enclave = LocalEnclave.Start(app => Shell(app, "job", ends) with { RestartPolicy = policy });
        var job = await Eventually.Get("it has ended", Soon, async () =>
            (await enclave.Host.StatusAsync())["containers"] is JsonArray { Count: 1 } containers && (string?)containers[0]!["state"] == "Terminated" ? containers[0] : null, enclave.Host.Explain);
        job!["reason"]!.GetValue<string>().ShouldBe(reason);
        job["restarts"]!.GetValue<int>().ShouldBe(0);
        job["lastTermination"]!["exitCode"]!.GetValue<int>().ShouldBe(code);
        ((int?)job["lastTermination"]!["signal"]).ShouldBe(signal);
        if (code == 0)
        {
            await enclave.Host.UntilReadyAsync(Soon);
            await Eventually.Holds("the log says that it is done", Soon, () => Task.FromResult(enclave.Host.Output.Contains("phase Completed", StringComparison.Ordinal)));
            return;
        }

        await Eventually.Holds("the enclave says why it is not ready", Soon, async () => (await enclave.Host.StatusAsync())["health"] is { } health
            && !(bool)health["healthy"]! && (string?)health["message"] == $"container job: it ended with exit code {code} and is not restarted", enclave.Host.Explain);
        (await enclave.Host.ReadyzAsync()).ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_container_that_fails_is_started_again_at_once_and_then_waits()
    {
        await using var enclave = LocalEnclave.Start(app => Shell(app, "job", "exit 5") with { RestartPolicy = "OnFailure" });
        await Eventually.Holds("it waits after one restart", Soon, async () => (await enclave.Host.StatusAsync())["containers"] is JsonArray { Count: 1 } containers
            && (string?)containers[0]!["reason"] == "CrashLoopBackOff" && (int)containers[0]!["restarts"]! == 1
            && (string?)containers[0]!["message"] == "back-off 10 s restarting container job"
            && (int)containers[0]!["lastTermination"]!["exitCode"]! == 5, enclave.Host.Explain);
    }

    private static ManifestContainer Shell(ManifestContainer app, string name, string script) =>
        app with { Name = name, Command = ["/bin/sh", "-c", script], Ports = [] };
}
