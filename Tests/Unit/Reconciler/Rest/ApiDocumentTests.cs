using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Rest;
using Enclaves.Reconciler.Rest.Reading;
using Enclaves.Reconciler.Rest.Serving;
using Enclaves.Reconciler.Rest.Streaming;
using Enclaves.Tests.Unit.Api.Crd;
using k8s;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Shouldly;
using Swashbuckle.AspNetCore.Swagger;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class ApiDocumentTests
{
    [Fact]
    public async Task The_OpenAPI_document_says_what_the_routes_say()
    {
        var document = await Write();
        WrittenFile.MustHold("docs/openapi.json", document);
    }

    [Fact]
    public async Task Every_call_has_a_name_a_sentence_and_its_problems()
    {
        var paths = JsonNode.Parse(await Write())!["paths"]!.AsObject();
        var calls = paths.SelectMany(path => path.Value!.AsObject().Select(call => (Path: path.Key, Call: call.Value!.AsObject()))).ToList();
        calls.Count.ShouldBeGreaterThan(10);
        calls.Select(call => (string?)call.Call["operationId"]).ShouldBeUnique();
        foreach (var (path, call) in calls)
        {
            ((string?)call["summary"]).ShouldNotBeNullOrEmpty(path);
            foreach (var status in new[] { "401", "403", "429", "503" })
                call["responses"]!.AsObject().ContainsKey(status).ShouldBeTrue($"{path} {status}");
        }
    }

    private static async Task<string> Write()
    {
        await using var parts = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddSingleton<ClusterStores>().AddSingleton<EnclaveStatusReader>()
            .AddSingleton<EnclaveStatuses>().AddSingleton<NedViews>().AddSingleton<NedFeed>().BuildServiceProvider();
        using var client = new Kubernetes(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });
        using var api = new ApiServer(client);
        // Routes are known when it has been started; on whatever port is free, and without a certificate nobody gets in.
        await using var server = new RestServer(new RestSettings { Port = 0, Certificate = "/nowhere" }, api, () => true, parts);
        await server.StartAsync(TestContext.Current.CancellationToken);
        var document = server.Services.GetRequiredService<ISwaggerProvider>().GetSwagger(ApiDocument.Name);
        await server.StopAsync(TestContext.Current.CancellationToken);
        await using var text = new StringWriter { NewLine = "\n" };
        document.SerializeAsV3(new OpenApiJsonWriter(text));
        return text + "\n";
    }
}
