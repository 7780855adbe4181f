using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Leadership;
using k8s;

namespace Enclaves.Reconciler.Cluster;

/// <summary>
/// The few calls that the Reconciler makes to the API server, each with a deadline. Configuration, TLS and credentials are
/// KubernetesClient's; bodies are JSON of our own, since the client's models lose the difference between null and absent, on which
/// server-side apply depends. With a fence, nothing is written while another replica may be the leader.
/// </summary>
internal sealed class ApiServer(Kubernetes client, WriteFence? fence = null) : IDisposable
{
    /// <summary>The media type of whole objects.</summary>
    public const string PlainJson = "application/json";

    // Of one object; etcd holds none that is larger than 1.5 MiB by default.
    private const long MaxBodyBytes = 8 * 1024 * 1024;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);

    // Ten thousand pods are some 100 MB.
    private static readonly TimeSpan ListTimeout = TimeSpan.FromMinutes(2);
    private static readonly MediaTypeHeaderValue ApplyPatch = new("application/apply-patch+yaml");
    private static readonly MediaTypeHeaderValue MergePatch = new("application/merge-patch+json");
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    /// <summary>Whether a call failed because of the API server or of the way to it: what may be tried again.</summary>
    public static bool IsFailure(Exception failure) => failure is ApiException or HttpRequestException or IOException or TimeoutException;

    /// <summary>Reads one object, or null when there is none.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="key">Which it is.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <param name="anyAge">Whether what the server has in its own memory will do: for what never changes, or may be a little old.</param>
    public async Task<LiveObject?> GetAsync(ResourceKind kind, ObjectKey key, CancellationToken cancellation, bool anyAge = false)
    {
        try
        {
            var path = kind.PathOf(key) + (anyAge ? "?resourceVersion=0" : "");
            return LiveObject.From(await CallAsync(kind, HttpMethod.Get, path, null, null, $"reading {kind.Describe(key)}", cancellation));
        }
        catch (ApiException absent) when (absent.Code == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Reads a collection, whole or one page of it, as a media type that the server may ignore; item by item as it arrives.</summary>
    public async Task<ListItems<T>> ListAsync<T>(
        ResourceKind kind, string? space, string query, Func<JsonElement, T?> take, CancellationToken cancellation, string accept = PlainJson)
        where T : class
    {
        var what = $"listing {kind.Plural}";
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(ListTimeout);
        try
        {
            using var response = await OpenAsync($"{kind.CollectionPath(space)}?{query}", what, accept, deadline.Token);
            await using var stream = await response.Content.ReadAsStreamAsync(deadline.Token);
            var items = new ListItems<T>(take);
            await items.ReadAsync(stream, deadline.Token);
            return items;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw TimedOut(what, ListTimeout);
        }
    }

    /// <summary>
    /// Server-side apply. With force, fields that another manager has changed become ours again.
    /// </summary>
    /// <returns>The object as it is afterwards.</returns>
    public Task<LiveObject> ApplyAsync(
        ResourceKind kind, ObjectKey key, JsonObject fields, bool force, string? subresource, CancellationToken cancellation,
        string manager = NedNames.FieldManager)
    {
        var path = $"{kind.PathOf(key, subresource)}?fieldManager={manager}&force={(force ? "true" : "false")}";
        return ObjectAsync(kind, HttpMethod.Patch, path, fields, ApplyPatch, $"applying {kind.Describe(key)}", cancellation);
    }

    /// <summary>JSON merge patch of this very object, not of a later one of its name.</summary>
    public Task MergeAsync(ResourceKind kind, LiveObject target, JsonObject patch, CancellationToken cancellation)
    {
        var body = patch.DeepClone().AsObject();
        if (body["metadata"] is not JsonObject metadata)
            body["metadata"] = metadata = [];
        metadata["uid"] = target.Uid;
        return CallAsync(kind, HttpMethod.Patch, $"{kind.PathOf(target.Key)}?fieldManager={NedNames.FieldManager}", body, MergePatch,
            $"patching {kind.Describe(target.Key)}", cancellation);
    }

    /// <summary>Creates an object; the server may complete its name.</summary>
    /// <returns>The object as it is afterwards.</returns>
    public Task<LiveObject> CreateAsync(ResourceKind kind, string space, JsonObject body, CancellationToken cancellation) =>
        ObjectAsync(kind, HttpMethod.Post, $"{kind.CollectionPath(space)}?fieldManager={NedNames.FieldManager}", body, Json, $"creating a {kind.Kind} in {space}", cancellation);

    /// <summary>Asks the server for a judgement that it keeps nowhere (TokenReview, SubjectAccessReview): whoever is not the leader may ask too.</summary>
    /// <returns>The status of the answer.</returns>
    public async Task<JsonElement> ReviewAsync(ResourceKind kind, JsonObject spec, CancellationToken cancellation)
    {
        var body = new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["spec"] = spec };
        var answer = await ReplyAsync(HttpMethod.Post, kind.CollectionPath(null), body, Json, $"asking for a {kind.Kind}", cancellation);
        return answer.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.Object
            ? status
            : throw new InvalidDataException($"asking for a {kind.Kind}: the API server's reply has no status");
    }

    /// <summary>Replaces an object; the body has the resourceVersion that was read, and a change that was made since is a conflict.</summary>
    /// <returns>The object as it is afterwards.</returns>
    public Task<LiveObject> ReplaceAsync(ResourceKind kind, ObjectKey key, JsonObject body, string manager, CancellationToken cancellation) =>
        ObjectAsync(kind, HttpMethod.Put, $"{kind.PathOf(key)}?fieldManager={manager}", body, Json, $"replacing {kind.Describe(key)}", cancellation);

    /// <summary>Deletes this very object, not a later one of its name. One that is gone already is a success.</summary>
    public async Task DeleteAsync(ResourceKind kind, LiveObject target, CancellationToken cancellation)
    {
        var options = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "DeleteOptions",
            ["propagationPolicy"] = "Background",
            ["preconditions"] = new JsonObject { ["uid"] = target.Uid },
        };
        try
        {
            await CallAsync(kind, HttpMethod.Delete, kind.PathOf(target.Key), options, Json, $"deleting {kind.Describe(target.Key)}", cancellation);
        }
        catch (ApiException gone) when (gone.Code is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            // Not found, or another uid by now: in either case the one that was meant is gone.
        }
    }

    /// <summary>Opens a stream whose headers must come within the call's deadline and whose body may take as long as it likes.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path, string what, string accept, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(CallTimeout);
        return await SendAsync(HttpMethod.Get, path, null, null, what, accept, cancellation, deadline.Token);
    }

    /// <inheritdoc />
    public void Dispose() => client.Dispose();

    private async Task<LiveObject> ObjectAsync(
        ResourceKind kind, HttpMethod method, string path, JsonObject body, MediaTypeHeaderValue type, string what, CancellationToken cancellation) =>
        LiveObject.From(await CallAsync(kind, method, path, body, type, what, cancellation))
        ?? throw new InvalidDataException($"{what}: the API server's reply is not an object");

    private async Task<JsonElement> CallAsync(
        ResourceKind kind, HttpMethod method, string path, JsonObject? body, MediaTypeHeaderValue? type, string what, CancellationToken cancellation)
    {
        if (method == HttpMethod.Get)
            return await ReplyAsync(method, path, body, type, what, cancellation);
        fence?.Require(what);
        using var span = Tracing.Write(method.Method, kind.Plural, what);
        try
        {
            return await ReplyAsync(method, path, body, type, what, cancellation);
        }
        catch (Exception failure) when (span is not null)
        {
            if (failure is ApiException { Code: var code })
                span.SetTag("http.response.status_code", (int)code);
            span.SetStatus(ActivityStatusCode.Error, failure.Message);
            throw;
        }
    }

    private async Task<JsonElement> ReplyAsync(
        HttpMethod method, string path, JsonObject? body, MediaTypeHeaderValue? type, string what, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(CallTimeout);
        using var response = await SendAsync(method, path, body, type, what, PlainJson, cancellation, deadline.Token);
        try
        {
            await response.Content.LoadIntoBufferAsync(MaxBodyBytes, deadline.Token);
            await using var stream = await response.Content.ReadAsStreamAsync(deadline.Token);
            using var document = await JsonDocument.ParseAsync(stream, default, deadline.Token);
            return document.RootElement.Clone();
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw TimedOut(what, CallTimeout);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, JsonObject? body, MediaTypeHeaderValue? type, string what, string accept,
        CancellationToken cancellation, CancellationToken deadline)
    {
        using var request = new HttpRequestMessage(method, new Uri(client.BaseUri, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Headers.TryAddWithoutValidation("Accept", accept);
        if (body is not null)
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body)) { Headers = { ContentType = type } };
        try
        {
            if (client.Credentials is { } credentials)
                await credentials.ProcessHttpRequestAsync(request, deadline);
            var response = await client.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline);
            if (response.IsSuccessStatusCode)
                return response;
            using (response)
                throw await ApiException.FromAsync(what, response, deadline);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw TimedOut(what, CallTimeout);
        }
    }

    private static TimeoutException TimedOut(string what, TimeSpan limit) =>
        new($"{what}: the API server did not answer within {limit.TotalSeconds} s; check that it is up and reachable");
}
