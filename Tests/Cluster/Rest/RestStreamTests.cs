using System.Diagnostics;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using k8s;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>/watch on the real control plane.</summary>
public sealed class RestStreamTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_reader_that_comes_back_misses_nothing_also_at_another_process()
    {
        await using var space = await TestNamespace.Create(cluster);
        var port = ChildProcess.Ports.Next();
        var token = await cluster.User(space.Name, "reader", RestUsers.Reader);
        string? place;
        await using (var api = await RestApi.Start(space.Name, port))
        {
            await space.Create(Neds.Valid("one"));
            await using (var stream = await Watch(api, space.Name, token, null))
            {
                await stream.Until(item => item.Type == "synced");
                await space.Create(Neds.Valid("two"));
                await stream.Until(item => item is { Type: "put", Name: "two" });
                place = stream.LastId;
            }

            // While nobody reads.
            await space.Create(Neds.Valid("three"));
            await space.Delete("one");
            await using var again = await Watch(api, space.Name, token, place);
            var seen = await again.Until(item => item is { Type: "delete", Name: "one" });
            seen.ShouldNotContain(item => item.Type == "reset");
            seen.ShouldContain(item => item.Type == "put" && item.Name == "three");
            place = again.LastId;
        }

        await using var restarted = await RestApi.Start(space.Name, port);
        await using var anew = await Watch(restarted, space.Name, token, place);
        var everything = await anew.Until(item => item.Type == "synced");
        everything[0].Type.ShouldBe("reset");
        everything.Where(item => item.Type == "put").Select(item => item.Name).ShouldBe(["three", "two"]);
    }

    [Fact]
    public async Task A_stream_ends_within_a_minute_of_its_tokens_end()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var token = await cluster.User(space.Name, "reader", RestUsers.Reader);
        await using var stream = await Watch(api, space.Name, token, null);
        await stream.Until(item => item.Type == "synced");
        await cluster.Client.CoreV1.DeleteNamespacedServiceAccountAsync("reader", space.Name);
        await stream.Ended().WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_stream_ends_within_a_minute_of_its_rights_end()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var token = await cluster.User(space.Name, "reader", RestUsers.Reader);
        await using var stream = await Watch(api, space.Name, token, null);
        await stream.Until(item => item.Type == "synced");
        await cluster.Client.RbacAuthorizationV1.DeleteCollectionNamespacedRoleBindingAsync(space.Name);
        await stream.Ended().WaitAsync(TimeSpan.FromMinutes(1));
        using var again = await api.Http(token).SendAsync(Request(space.Name, stream.LastId), HttpCompletionOption.ResponseHeadersRead);
        again.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Readers_that_do_not_read_hold_up_nobody_and_do_not_outlive_their_token()
    {
        const int readers = 20;
        const int changes = 60;
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var ned = Neds.Valid();
        // Some 20 KB in each event: what is sent is more than all that can be on the way to a reader.
        ned["metadata"]!["labels"] = new JsonObject(Enumerable.Range(0, 160).Select(number => KeyValuePair.Create($"{number:d3}{new string('k', 60)}", (JsonNode?)new string('v', 63))));
        await space.Create(ned);
        await space.Reconciled(explain: () => api.Reconciler.Log);
        await space.Settled();
        var token = await cluster.User(space.Name, "reader", RestUsers.Reader);
        var revoked = await cluster.User(space.Name, "stuck", RestUsers.Reader);
        var stuck = new List<HttpResponseMessage>();
        for (var reader = 0; reader < readers; reader++)
        {
            using var request = Request(space.Name, null);
            // Over HTTP/2 nothing is sent beyond what the reader's side says that it has room for, 64 KB.
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
            stuck.Add(await api.Http(revoked).SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
        }

        await using var stream = await Watch(api, space.Name, token, null);
        await stream.Until(item => item.Type == "synced");
        for (var change = 0; change < changes; change++)
        {
            await space.Patch(Neds.Name, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["change"] = $"{change}" } } }.ToJsonString());
            var clock = Stopwatch.StartNew();
            await stream.Until(item => item.Type == "put");
            clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
        }

        await cluster.Client.CoreV1.DeleteNamespacedServiceAccountAsync("stuck", space.Name);
        // Not a byte is read until rights have been looked at twice. Each then finds what was on its way, and no more.
        int Looks() => api.Reconciler.Proxy.Writes.Count(write => write.EndsWith("/tokenreviews", StringComparison.Ordinal));
        var looks = Looks();
        await Wait.Until("tokens are looked at", () => Task.FromResult(Looks() >= looks + 4));
        (await Task.WhenAll(stuck.Select(PutsUntilTheEnd)).WaitAsync(TimeSpan.FromSeconds(30))).ShouldAllBe(puts => puts < changes);
        stuck.ForEach(response => response.Dispose());
    }

    [Fact]
    public async Task Ten_thousand_requests_at_once_are_answered_or_sent_away_and_a_NED_is_reconciled_beside_them()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var token = await cluster.User(space.Name, "reader", RestUsers.Reader);
        // A hundred on each of a hundred connections: as many handshakes as requests would only show how fast this machine makes handshakes.
        var client = api.Http(token);
        client.DefaultRequestVersion = HttpVersion.Version20;
        var path = new Uri($"api/v1/namespaces/{space.Name}/nitroenclavedeployments", UriKind.Relative);
        async Task<HttpStatusCode> Ask()
        {
            using var reply = await client.GetAsync(path);
            return reply.StatusCode;
        }

        (await Ask()).ShouldBe(HttpStatusCode.OK);
        var all = Enumerable.Range(0, 10_000).Select(_ => Ask()).ToList();
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => api.Reconciler.Log);
        var counts = (await Task.WhenAll(all)).CountBy(status => status).ToDictionary();
        counts.Keys.ShouldBeSubsetOf([HttpStatusCode.OK, HttpStatusCode.TooManyRequests]);
        counts[HttpStatusCode.OK].ShouldBeGreaterThan(100);
        (await Ask()).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_action_waits_as_an_annotation_until_it_is_carried_out_and_too_many_are_sent_away()
    {
        await using var space = await TestNamespace.Create(cluster);
        // Nobody works here: what is asked for stays.
        await using var api = await RestApi.StartIdle(cluster, space.Name);
        await space.Create(Neds.Valid());
        var client = api.Generated(await cluster.User(space.Name, "editor", [.. RestUsers.Reader, RestUsers.Rule("k8s.oblv.com", "nitroenclavedeployments", "patch")]));
        await Wait.Until("it is known", async () => (await client.ListAsync(space.Name)).Items.Count == 1);
        var accepted = await client.RestartAsync(space.Name, Neds.Name);
        accepted.By.ShouldBe($"system:serviceaccount:{space.Name}:editor");
        var annotation = (await space.Ned())["metadata"]!["annotations"]!.AsObject().Single(item => item.Key.StartsWith("action.k8s.oblv.com/", StringComparison.Ordinal));
        annotation.Key.ShouldEndWith(accepted.Id);
        JsonNode.Parse((string)annotation.Value!)!["action"]!.ToString().ShouldBe("restart", StringCompareShould.IgnoreCase);
        await Wait.Until("it is shown as waiting", async () => (await client.GetAsync(space.Name, Neds.Name)).WaitingActions.Any(action => action.Id == accepted.Id));

        var sentAway = await Wait.For("too many", async () =>
        {
            try
            {
                await client.ReconcileAsync(space.Name, Neds.Name);
                return null;
            }
            catch (Client.ApiException<Client.ProblemDetails> refused)
            {
                return refused;
            }
        });
        sentAway.StatusCode.ShouldBe(429);
        sentAway.Headers.Keys.ShouldContain("Retry-After");
        (await space.Ned())["metadata"]!["annotations"]!.AsObject().Count.ShouldBeInRange(8, 12);
    }

    private static HttpRequestMessage Request(string space, string? place)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"api/v1/watch?namespace={space}", UriKind.Relative));
        if (place is not null)
            request.Headers.Add("Last-Event-ID", place);
        return request;
    }

    private static async Task<EventStream> Watch(RestApi api, string space, string token, string? place)
    {
        var response = await api.Http(token).SendAsync(Request(space, place), HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new EventStream(response);
    }

    private static async Task<int> PutsUntilTheEnd(HttpResponseMessage stream)
    {
        var puts = 0;
        try
        {
            using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync());
            while (await lines.ReadLineAsync() is { } line)
                puts += line == "event: put" ? 1 : 0;
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException)
        {
            // Closed in the middle of an event.
        }

        return puts;
    }

    /// <summary>What a stream has told.</summary>
    private sealed record Told(string Type, string? Name);

    private sealed class EventStream : IAsyncDisposable
    {
        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

        private readonly HttpResponseMessage _response;
        private readonly SseParser<string> _parser;
        private readonly IAsyncEnumerator<SseItem<string>> _items;

        public EventStream(HttpResponseMessage response)
        {
            _response = response;
            _parser = SseParser.Create(response.Content.ReadAsStream());
            _items = _parser.EnumerateAsync().GetAsyncEnumerator();
        }

        public string LastId => _parser.LastEventId;

        public async Task<IReadOnlyList<Told>> Until(Func<Told, bool> isLast)
        {
            var told = new List<Told>();
            while (await _items.MoveNextAsync().AsTask().WaitAsync(Limit))
            {
                told.Add(new Told(_items.Current.EventType, (string?)JsonNode.Parse(_items.Current.Data)!["name"]));
                if (isLast(told[^1]))
                    return told;
            }

            throw new InvalidOperationException($"the stream ended after {string.Join(", ", told)}");
        }

        public async Task Ended()
        {
            while (await _items.MoveNextAsync())
            {
                // Pings.
            }
        }

        public ValueTask DisposeAsync()
        {
            _response.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
