using System.Net;
using System.Text.Json.Nodes;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>Probes of real processes: by commands that look for a file, and by requests to the plugin.</summary>
public sealed class ProbeTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    private string Switch => Path.Combine(_folder.Path, "switch");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Traffic_comes_while_the_readiness_probe_succeeds_and_only_then()
    {
        await using var enclave = LocalEnclave.Start(app => app with { ReadinessProbe = IsThere(failures: 2) });
        await Holds(enclave, app => (string?)app["message"] is { } message && message.StartsWith("readiness probe failed: test exited with 1", StringComparison.Ordinal));
        (await enclave.Host.ReadyzAsync()).ShouldBe(HttpStatusCode.ServiceUnavailable);
        await File.WriteAllTextAsync(Switch, "", TestContext.Current.CancellationToken);
        await enclave.Host.UntilReadyAsync(Soon);
        (await HostProcess.AskAsync(enclave.IngressPort)).ShouldStartWith("plugin ");

        File.Delete(Switch);
        var sick = DateTimeOffset.UtcNow;
        await enclave.Host.UntilReadyzAsync(HttpStatusCode.ServiceUnavailable, Soon);
        var status = await enclave.Host.StatusAsync();
        // Threshold x period, and what the look and the way to the host take.
        (status["since"]!.GetValue<DateTimeOffset>() - sick).ShouldBeLessThan(TimeSpan.FromSeconds(2 + 1));
        ((string)status["message"]!).ShouldContain("container app: readiness probe failed");
        ((int)status["containers"]![0]!["restarts"]!).ShouldBe(0);

        await File.WriteAllTextAsync(Switch, "", TestContext.Current.CancellationToken);
        await enclave.Host.UntilReadyAsync(Soon);
    }

    [Theory]
    [InlineData("OnFailure")]
    [InlineData("Always")]
    public async Task A_failed_liveness_probe_restarts_the_container_and_the_status_says_why(string policy)
    {
        await File.WriteAllTextAsync(Switch, "", TestContext.Current.CancellationToken);
        // The plugin ends with 0 when it is told to end.
        await using var enclave = LocalEnclave.Start(app => app with { LivenessProbe = IsThere(failures: 1) with { TimeoutSeconds = 10 }, RestartPolicy = policy });
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        var first = await enclave.AskPluginIdAsync();
        File.Delete(Switch);
        await Holds(enclave, app => (int)app["restarts"]! >= 1);
        await File.WriteAllTextAsync(Switch, "", TestContext.Current.CancellationToken);
        await enclave.Host.UntilReadyAsync(Soon);
        (await enclave.AskPluginIdAsync()).ShouldNotBe(first);
        var app = (await enclave.Host.StatusAsync())["containers"]![0]!;
        app["lastTermination"]!["message"]!.GetValue<string>().ShouldBe("liveness probe failed: test exited with 1");
        app["lastTermination"]!["exitCode"]!.GetValue<int>().ShouldBe(0);
        enclave.Host.Output.ShouldContain("container app: liveness probe failed: test exited with 1; it is being stopped");
        (await enclave.Host.StatusAsync())["boots"]!.GetValue<int>().ShouldBe(1);
    }

    [Fact]
    public async Task A_startup_probe_holds_the_others_back_and_http_looks_reach_the_plugin()
    {
        await using var enclave = LocalEnclave.Start(app => app with
        {
            StartupProbe = IsThere(failures: 100),
            LivenessProbe = Http(app, "/"),
            ReadinessProbe = Http(app, "/"),
        });
        await Holds(enclave, app => (string?)app["message"] is { } message && message.StartsWith("startup probe has not succeeded yet", StringComparison.Ordinal));
        await File.WriteAllTextAsync(Switch, "", TestContext.Current.CancellationToken);
        await enclave.Host.UntilReadyAsync(Soon);
        (await enclave.Host.StatusAsync())["containers"]![0]!["restarts"]!.GetValue<int>().ShouldBe(0);
    }

    [Fact]
    public async Task A_probe_command_that_hangs_is_killed_with_all_it_started_and_one_that_is_missing_condemns_nobody()
    {
        var command = IsThere(failures: 1) with { Exec = ["sh", "-c", "sleep 4242 & sleep 4242"], FailureThreshold = 2 };
        await using var enclave = LocalEnclave.Start(app => app with
        {
            ReadinessProbe = command,
            LivenessProbe = command with { Exec = ["/no/such/program"], FailureThreshold = 1 },
        });
        await Holds(enclave, app => (string?)app["message"] == "readiness probe failed: sh did not end within 1 s"
            || (string?)app["message"] == "readiness probe failed: no answer within 1 s");
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        enclave.Host.Processes().Count(process => process.Name == "sleep").ShouldBeLessThanOrEqualTo(2);
        var app = (await enclave.Host.StatusAsync())["containers"]![0]!;
        app["restarts"]!.GetValue<int>().ShouldBe(0);
        app["state"]!.GetValue<string>().ShouldBe("Running");
    }

    private ManifestProbe IsThere(int failures) => new()
    {
        Exec = ["test", "-e", Switch],
        InitialDelaySeconds = 0,
        PeriodSeconds = 1,
        TimeoutSeconds = 1,
        SuccessThreshold = 1,
        FailureThreshold = failures,
    };

    private ManifestProbe Http(ManifestContainer app, string path) => IsThere(failures: 3) with
    {
        Exec = null,
        HttpGet = new ManifestHttpGet { Scheme = "HTTP", Port = app.Ports[0].ContainerPort, Path = path, Headers = [] },
    };

    private static Task Holds(LocalEnclave enclave, Func<JsonNode, bool> condition) =>
        Eventually.Holds("the container is as expected", Soon, async () =>
            (await enclave.Host.StatusAsync())["containers"] is JsonArray { Count: 1 } containers && condition(containers[0]!), enclave.Host.Explain);
}
