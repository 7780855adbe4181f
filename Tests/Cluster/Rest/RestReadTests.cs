using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Enclaves.Tests.Cluster.Client;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>What the REST API shows, read with a client that was generated from its OpenAPI document.</summary>
public sealed class RestReadTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_NED_is_shown_with_its_status_events_manifest_and_enclaves()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var token = await cluster.User(space.Name, "reader", RestUsers.Reader);
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(explain: () => api.Reconciler.Log);
        var client = api.Generated(token);

        var shown = await Wait.For("the REST API knows the status", async () => await client.GetAsync(space.Name, Neds.Name) is { Status: not null } found ? found : null);
        shown.Uid.ShouldBe(ned.Uid());
        shown.Status.ShouldBe((string?)ned["status"]!["status"]);
        shown.Ready.ShouldBe("0/1");
        shown.Replicas.ShouldBe(1);
        shown.Health.ShouldBe(NedHealth.Progressing);
        shown.Message.ShouldNotBeNullOrEmpty();
        shown.ManifestDigest.ShouldBe((string?)ned["status"]!["manifestDigest"]);
        shown.Conditions.Select(condition => condition.Type).ShouldBe(["Scheduled", "EnclavesHealthy", "Ready", "Reconciling", "Stalled"]);
        ((JsonElement)shown.Spec).GetProperty("userPlugins")[0].GetProperty("name").GetString().ShouldBe("web");

        var events = await Wait.For("events", async () => await client.ListEventsAsync(space.Name, Neds.Name) is { Count: >= 2 } found ? found : null);
        events.Select(item => item.Reason).ShouldContain("ManifestCreated");
        events.Select(item => item.Last).ShouldBeInOrder(SortDirection.Descending);

        var manifest = await api.Http(token).GetStringAsync(new Uri($"api/v1/namespaces/{space.Name}/nitroenclavedeployments/{Neds.Name}/manifest", UriKind.Relative));
        Convert.ToHexStringLower(SHA384.HashData(Encoding.UTF8.GetBytes(manifest))).ShouldBe(shown.ManifestDigest);

        var row = (await Wait.For("its pod", async () => await client.ListEnclavesAsync(space.Name, Neds.Name) is { Count: 1 } rows ? rows : null)).Single();
        row.Phase.ShouldBe("Pending");
        row.Ready.ShouldBeFalse();
        row.UpToDate.ShouldBeTrue();
        row.AskedAt.ShouldBeNull("a pod without a node has nobody to ask");
    }

    [Fact]
    public async Task Lists_come_in_pages_by_labels_and_with_counts()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var client = api.Generated(await cluster.User(space.Name, "reader", RestUsers.Reader));
        foreach (var number in Enumerable.Range(0, 7))
        {
            var ned = Neds.Valid($"ned-{number}");
            ned["metadata"]!["labels"] = new System.Text.Json.Nodes.JsonObject { ["half"] = number < 4 ? "first" : "second" };
            await space.Create(ned);
        }

        await Wait.Until("all are known", async () => (await client.ListAsync(space.Name)).Items.Count == 7, explain: () => api.Reconciler.Log);
        var names = new List<string>();
        string? next = null;
        do
        {
            var page = await client.ListAsync(space.Name, limit: 3, @continue: next);
            names.AddRange(page.Items.Select(item => item.Name));
            page.Remaining.ShouldBe(7 - names.Count);
            next = page.Continue;
        }
        while (next is not null);

        names.ShouldBe(Enumerable.Range(0, 7).Select(number => $"ned-{number}"));
        (await client.ListAsync(space.Name, "half in (second),half!=first")).Items.Count.ShouldBe(3);
        var summary = await client.GetSummaryAsync();
        summary.Neds.ShouldBe(7);
        summary.Replicas.ShouldBe(7);
        summary.Namespaces.ShouldBe(1);
    }

    [Fact]
    public async Task Reads_ask_etcd_nothing()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var client = api.Generated(await cluster.User(space.Name, "reader", RestUsers.Reader));
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => api.Reconciler.Log);
        await Wait.Until("it is known", async () => (await client.ListAsync(space.Name)).Items.Count == 1);
        var path = $"api/v1/namespaces/{space.Name}/nitroenclavedeployments/{Neds.Name}/manifest";
        var reader = api.Http(await cluster.Token(space.Name, "reader"));
        var asked = new ConcurrentBag<string>();
        api.Reconciler.Proxy.Answered = (request, _) =>
        {
            if (HttpMethods.IsGet(request.Method) && !request.Query.ContainsKey("watch") && request.Path.Value!.Contains(space.Name, StringComparison.Ordinal))
                asked.Add($"{request.Path}{request.QueryString}");
        };
        for (var round = 0; round < 5; round++)
        {
            await client.ListAsync(space.Name);
            await client.GetAsync(space.Name, Neds.Name);
            await client.ListEventsAsync(space.Name, Neds.Name);
            await client.ListEnclavesAsync(space.Name, Neds.Name);
            await client.GetSummaryAsync();
            await reader.GetStringAsync(new Uri(path, UriKind.Relative));
        }

        // The events of a pod are asked for by what looks after its NED; manifests come out of the API server's own memory.
        var reads = asked.Where(request => !Uri.UnescapeDataString(request).Contains("fieldSelector=involvedObject.uid", StringComparison.Ordinal)).ToList();
        reads.Count.ShouldBe(5);
        reads.ShouldAllBe(request => request.Contains("/configmaps/", StringComparison.Ordinal) && request.EndsWith("?resourceVersion=0", StringComparison.Ordinal));
    }
}
