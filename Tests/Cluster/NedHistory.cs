using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Enclaves.Api;

namespace Enclaves.Tests.Cluster;

/// <summary>Every version of the NEDs of a namespace, as whoever watches them sees them: one after another and none left out.</summary>
internal sealed class NedHistory : IAsyncDisposable
{
    private readonly ConcurrentQueue<JsonObject> _versions = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _reading;

    private NedHistory(StreamReader stream) => _reading = Read(stream);

    /// <summary>What was seen so far; of what was deleted, the last version before.</summary>
    public IReadOnlyCollection<JsonObject> Versions => _versions;

    /// <summary>Waits until this version was seen: a watch may lag behind a read.</summary>
    public Task Reaches(JsonObject ned) => Wait.Until("the watch has told of the version that was read",
        () => Task.FromResult(_versions.Any(version => Version(version) == Version(ned))));

    /// <summary>Watches from now on.</summary>
    public static async Task<NedHistory> Start(ClusterFixture cluster, TestNamespace space)
    {
        var path = $"apis/{NedNames.ApiVersion}/namespaces/{space.Name}/{NedNames.Plural}?watch=true";
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(cluster.Client.BaseUri, path));
        var reply = await cluster.Client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        reply.EnsureSuccessStatusCode();
        return new NedHistory(new StreamReader(await reply.Content.ReadAsStreamAsync()));
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private static string? Version(JsonObject ned) => (string?)ned["metadata"]!["resourceVersion"];

    private async Task Read(StreamReader stream)
    {
        using (stream)
        {
            while (await stream.ReadLineAsync(_end.Token) is { } line)
            {
                var change = JsonNode.Parse(line)!;
                if ((string?)change["type"] is "ADDED" or "MODIFIED")
                    _versions.Enqueue(change["object"]!.DeepClone().AsObject());
            }
        }
    }
}
