using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The samples with plugins that serve the others, and the log at a real collector outside of the cluster.</summary>
public sealed class PrivilegedPluginTests
{
    // This machine, as the pods of the development cluster see it.
    private const string HostAddress = "10.210.0.1";

    [Fact]
    public async Task Only_what_the_auth_plugin_lets_pass_reaches_the_others()
    {
        await using var deployed = await Deployed.Apply("auth-plugin");
        await deployed.UntilReady();
        var service = await Kubectl.Get("service", deployed.Name, "-n", deployed.Namespace);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{service["spec"]!["clusterIP"]}/"), Timeout = TimeSpan.FromSeconds(15) };
        await Eventually.Holds("a request without a token is refused", TimeSpan.FromSeconds(60), async () => await CodeOf(client) == HttpStatusCode.Unauthorized, deployed.Explain);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "let-me-in");
        (await client.GetStringAsync("/", TestContext.Current.CancellationToken)).ShouldContain("from inside the enclave");
    }

    [Fact]
    public async Task Lines_reach_the_logging_plugin_the_pods_log_and_the_collector()
    {
        await using var collector = new OtlpCollector(HostAddress);
        await collector.StartAsync();
        await using var deployed = await Deployed.Apply("logs", yaml => yaml.Replace("spec:\n  # logging:", $$"""
            spec:
              logging: { backend: otlp, level: debug, otlp: { endpoint: "{{collector.Endpoint("grpc")}}", headersSecret: collector } }
              # logging:
            """, StringComparison.Ordinal));
        // A missing Secret keeps the pod waiting, as any pod.
        await Kubectl.Run("create", "secret", "generic", "collector", "-n", deployed.Namespace, $"--from-literal=x-otlp-api-key={OtlpCollector.Key}");
        await deployed.UntilReady();
        var pod = await deployed.Pod();
        IReadOnlyList<OtlpCollector.Record> records = [];
        await Eventually.Holds("the lines are at the collector", TimeSpan.FromSeconds(60), async () =>
        {
            records = await collector.RecordsAsync();
            return records.Any(record => record.Container == "shipper" && record.Text.Contains("hello serves on port 8080", StringComparison.Ordinal));
        }, async () => await deployed.Explain() + await collector.Explain());
        var line = records.First(record => record.Container == "app" && record.Text == "hello serves on port 8080");
        line.Resource["service.name"].ShouldBe("logs");
        line.Resource["k8s.namespace.name"].ShouldBe(deployed.Namespace);
        line.Resource["k8s.pod.name"].ShouldBe((string)pod["metadata"]!["name"]!);
        line.Resource["k8s.node.name"].ShouldBe((string)pod["spec"]!["nodeName"]!);

        var log = await Kubectl.Run("logs", (string)pod["metadata"]!["name"]!, "-n", deployed.Namespace);
        log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(each => JsonNode.Parse(each)!)
            .ShouldContain(each => (string)each["container"]! == "app" && (string)each["text"]! == "hello serves on port 8080");
        log.ShouldNotContain(OtlpCollector.Key);
        (await deployed.Status())["otlp"]!["problem"]!.GetValue<string>().ShouldBe("");
    }

    private static async Task<HttpStatusCode> CodeOf(HttpClient client)
    {
        using var answer = await client.GetAsync("/");
        return answer.StatusCode;
    }
}
