using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Cluster;

/// <summary>Lists and watches one kind of object of the API server, in one namespace or in all, narrowed by labels or fields.</summary>
internal sealed class ApiWatchSource(ApiServer server, ResourceKind kind, string? space = null, string? labelSelector = null, string? fieldSelector = null)
    : IWatchSource<LiveObject>
{
    private const int PageSize = 500;

    // A server that does not know it sends whole objects, of which the rest is dropped.
    private readonly string _acceptList = Accept(kind, "PartialObjectMetadataList");
    private readonly string _acceptWatch = Accept(kind, "PartialObjectMetadata");
    private readonly string _selector = (labelSelector is null ? "" : $"&labelSelector={Uri.EscapeDataString(labelSelector)}")
        + (fieldSelector is null ? "" : $"&fieldSelector={Uri.EscapeDataString(fieldSelector)}");

    /// <inheritdoc />
    public string Name => kind.Plural;

    /// <inheritdoc />
    public async Task<ListResult<LiveObject>> ListAsync(string resourceVersion, CancellationToken cancellation)
    {
        try
        {
            return resourceVersion.Length == 0
                ? await ListPagesAsync(cancellation)
                : await ListOnceAsync($"resourceVersion={resourceVersion}{_selector}", cancellation);
        }
        catch (ApiException refused) when (IsVersionUnavailable(refused))
        {
            throw new ResourceVersionUnavailableException(refused.Message);
        }
    }

    /// <inheritdoc />
    public async IAsyncEnumerable<WatchEvent<LiveObject>> WatchAsync(
        string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var path = $"{kind.CollectionPath(space)}?watch=true&allowWatchBookmarks=true&timeoutSeconds={(int)timeout.TotalSeconds}"
            + $"&resourceVersion={resourceVersion}{_selector}";
        HttpResponseMessage response;
        try
        {
            response = await server.OpenAsync(path, $"watching {kind.Plural}", _acceptWatch, cancellation);
        }
        catch (ApiException refused) when (IsVersionUnavailable(refused))
        {
            throw new ResourceVersionUnavailableException(refused.Message);
        }

        using (response)
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            await foreach (var line in WatchLines.ReadAsync(stream, cancellation))
                yield return Read(line);
        }
    }

    private async Task<ListResult<LiveObject>> ListPagesAsync(CancellationToken cancellation)
    {
        var items = new List<LiveObject>();
        var token = "";
        while (true)
        {
            ListItems<LiveObject> page;
            try
            {
                var more = token.Length == 0 ? "" : $"&continue={Uri.EscapeDataString(token)}";
                page = await server.ListAsync(kind, space, $"limit={PageSize}{more}{_selector}", Keep, cancellation, _acceptList);
            }
            catch (ApiException expired) when (expired.Code == HttpStatusCode.Gone && token.Length > 0)
            {
                // The snapshot behind the pages is gone; one whole list is dearer than pages, and always consistent.
                return await ListOnceAsync(_selector.TrimStart('&'), cancellation);
            }

            items.AddRange(page.Items);
            token = page.Continue;
            if (token.Length == 0)
                return new ListResult<LiveObject>(items, page.Version);
        }
    }

    private async Task<ListResult<LiveObject>> ListOnceAsync(string query, CancellationToken cancellation)
    {
        var list = await server.ListAsync(kind, space, query, Keep, cancellation, _acceptList);
        return new ListResult<LiveObject>(list.Items, list.Version);
    }

    private WatchEvent<LiveObject> Read(JsonElement line)
    {
        var type = line.GetProperty("type").GetString();
        var body = line.GetProperty("object");
        if (type == "ERROR")
        {
            var error = ApiException.FromStatus($"watching {kind.Plural}", body);
            throw IsVersionUnavailable(error) ? new ResourceVersionUnavailableException(error.Message) : error;
        }

        var item = Keep(body) ?? throw new InvalidDataException($"watching {kind.Plural}: an event of type {type} has no object");
        return type switch
        {
            "ADDED" or "MODIFIED" => new WatchEvent<LiveObject>(WatchEventKind.Present, item.ResourceVersion, item),
            "DELETED" => new WatchEvent<LiveObject>(WatchEventKind.Deleted, item.ResourceVersion, item),
            "BOOKMARK" => new WatchEvent<LiveObject>(WatchEventKind.Bookmark, item.ResourceVersion, null),
            _ => throw new InvalidDataException($"watching {kind.Plural}: unknown type of event '{type}'"),
        };
    }

    private LiveObject? Keep(JsonElement item) => kind.WatchesMetadata ? LiveObject.MetadataOf(item) : LiveObject.From(item, kind.Kept);

    private static string Accept(ResourceKind kind, string type) =>
        kind.WatchesMetadata ? $"{ApiServer.PlainJson};as={type};g=meta.k8s.io;v=v1,{ApiServer.PlainJson}" : ApiServer.PlainJson;

    private static bool IsVersionUnavailable(ApiException error) =>
        error.Code == HttpStatusCode.Gone
        || (error.Code == HttpStatusCode.GatewayTimeout && error.Message.Contains("Too large resource version", StringComparison.Ordinal));
}
