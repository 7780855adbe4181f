using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What an operator learns of the passes of a Reconciler: its log, its spans at a real collector, its metrics.</summary>
public sealed class TelemetryTests(ClusterFixture cluster)
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(15) };

    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    public async Task A_pass_is_a_span_with_its_writes_below_it_and_has_the_same_id_in_the_log(string protocol)
    {
        await using var collector = new OtlpCollector(ports: ChildProcess.Ports);
        await collector.StartAsync();
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name,
            "--OTEL_EXPORTER_OTLP_ENDPOINT", collector.Endpoint(protocol), "--OTEL_EXPORTER_OTLP_PROTOCOL", protocol,
            "--OTEL_EXPORTER_OTLP_HEADERS", $"x-otlp-api-key={Uri.EscapeDataString(OtlpCollector.Key)}");
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var spans = await Wait.For("a pass with its writes", async () =>
            await collector.SpansAsync() is var all && all.Any(span => span.Name == "PATCH nitroenclavedeployments") ? all : null, explain: () => reconciler.Log);

        var pass = spans.First(span => span.Name == "reconcile" && spans.Any(child => child.Parent == span.Id && child.Name == "PATCH deployments"));
        pass.Service.ShouldBe("enclaves-reconciler");
        pass.Parent.ShouldBe("");
        pass.Attributes["k8s.namespace.name"].ShouldBe(space.Name);
        pass.Attributes["enclaves.ned.name"].ShouldBe(Neds.Name);
        pass.Attributes["enclaves.reconcile.result"].ShouldBe("done");
        spans.Where(span => span.Parent == pass.Id).Select(span => span.Name)
            .ShouldBe(["PATCH configmaps", "PATCH deployments", "PATCH services", "PATCH nitroenclavedeployments"], ignoreOrder: true);
        // The kubelet's questions, which the test has asked as well.
        spans.ShouldNotContain(span => span.Name.Contains("readyz", StringComparison.Ordinal));

        var lines = LinesOf(reconciler, pass.Attributes["enclaves.reconcile.id"]);
        lines.Select(line => (string?)line["State"]?["{OriginalFormat}"]).ShouldContain("Created {Kind} {Child}");
    }

    [Fact]
    public async Task Every_line_of_the_log_is_JSON_and_every_line_of_a_pass_has_the_NED_and_the_id_of_the_pass()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Create(Neds.Valid("another"));
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Reconciled(ned: "another", explain: () => reconciler.Log);
        // Of a pass that fails too.
        reconciler.Proxy.Answer = what => what.StartsWith("PATCH ", StringComparison.Ordinal) ? 500 : null;
        await space.Patch(Neds.Name, """{"spec":{"replicas":2}}""");
        await Wait.Until("a failed pass", () => Task.FromResult(reconciler.Log.Contains("it is tried again by itself", StringComparison.Ordinal)), explain: () => reconciler.Log);

        var lines = Lines(reconciler);
        var ofPasses = lines.Where(line => Regex.IsMatch((string)line["Category"]!, "NedReconciler|ChildApplier|NedStatusWriter|ManifestCleanup")).ToList();
        ofPasses.Count.ShouldBeGreaterThan(6);
        foreach (var line in ofPasses)
        {
            var scope = Scope(line).ShouldNotBeNull(line.ToJsonString());
            ((string)scope["Ned"]!).ShouldBeOneOf($"{space.Name}/{Neds.Name}", $"{space.Name}/another");
            ((string)scope["ReconcileId"]!).ShouldMatch("^[0-9a-f]{8}$");
        }

        // Three passes at least, none of which has another's id.
        ofPasses.GroupBy(line => (string)Scope(line)!["ReconcileId"]!).ShouldAllBe(pass => pass.Select(line => (string)Scope(line)!["Ned"]!).Distinct().Count() == 1);
        ofPasses.Select(line => (string)Scope(line)!["ReconcileId"]!).Distinct().Count().ShouldBeGreaterThanOrEqualTo(3);
    }

    [Fact]
    public async Task It_tells_of_its_health_and_of_its_fleet()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        (await Get(reconciler, "healthz")).ShouldBe("ok");
        (await Get(reconciler, "livez")).ShouldBe("ok");
        await Wait.Until("the NED and its pod are counted", async () => await Get(reconciler, "metrics") is var metrics
            && metrics.Contains($"enclaves_ned_ready_replicas{{namespace=\"{space.Name}\",ned=\"{Neds.Name}\"}} 0\n", StringComparison.Ordinal)
            && metrics.Contains("enclaves_by_phase{phase=\"Unknown\"} 1", StringComparison.Ordinal), explain: () => reconciler.Log);
        reconciler.Proxy.CutStreams();
        await Wait.Until("broken watches are counted", async () =>
            Regex.IsMatch(await Get(reconciler, "metrics"), "enclaves_reconciler_watch_restarts_total{kind=\"[^\"]+\",reason=\"interrupted\"} [1-9]"), explain: () => reconciler.Log);
    }

    private static Task<string> Get(ReconcilerProcess reconciler, string path) => Http.GetStringAsync(new Uri($"http://127.0.0.1:{reconciler.Port}/{path}"));

    private static List<JsonNode> Lines(ReconcilerProcess reconciler) => [.. reconciler.Log.Split('\n').Select(line => JsonNode.Parse(line)!)];

    private static IEnumerable<JsonNode> LinesOf(ReconcilerProcess reconciler, string id) => Lines(reconciler).Where(line => (string?)Scope(line)?["ReconcileId"] == id);

    private static JsonObject? Scope(JsonNode line) => line["Scopes"]?.AsArray().OfType<JsonObject>().FirstOrDefault(scope => scope.ContainsKey("ReconcileId"));
}
