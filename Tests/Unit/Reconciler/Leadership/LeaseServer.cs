using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using k8s;

namespace Enclaves.Tests.Unit.Reconciler.Leadership;

/// <summary>An API server that has one Lease and knows optimistic locking, and that fails as a test asks for.</summary>
internal sealed class LeaseServer : DelegatingHandler
{
    private readonly Lock _lock = new();
    private int _version;
    private int _requests;

    /// <summary>A client of it.</summary>
    public ApiServer Client() => new(new Kubernetes(new KubernetesClientConfiguration { Host = "http://lease.invalid" }, this));

    /// <summary>Called before a request is carried out; may throw or wait.</summary>
    public Func<HttpMethod, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Called after a request was carried out and before its reply is sent.</summary>
    public Func<HttpMethod, Task> After { get; set; } = _ => Task.CompletedTask;

    /// <summary>The Lease, or null.</summary>
    public JsonObject? Lease { get; private set; }

    /// <summary>Who holds it; empty for nobody.</summary>
    public string? Holder => (string?)Lease?["spec"]?["holderIdentity"];

    /// <summary>Requests that were made.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Writes the Lease as somebody else would.</summary>
    public void Hold(string holder, string renewTime, int seconds = 15) => Store(new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = "reconciler", ["namespace"] = "system" },
        ["spec"] = new JsonObject { ["holderIdentity"] = holder, ["leaseDurationSeconds"] = seconds, ["renewTime"] = renewTime },
    });

    /// <summary>Deletes it.</summary>
    public void Delete()
    {
        lock (_lock)
            Lease = null;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _requests);
        await Before(request.Method, cancellationToken);
        var body = request.Content is null ? null : JsonNode.Parse(await request.Content.ReadAsStringAsync(cancellationToken))!.AsObject();
        var (code, reply) = Answer(request.Method, body);
        await After(request.Method);
        return new HttpResponseMessage(code) { Content = new StringContent(reply, Encoding.UTF8, "application/json") };
    }

    private (HttpStatusCode Code, string Body) Answer(HttpMethod method, JsonObject? body)
    {
        lock (_lock)
        {
            if (method == HttpMethod.Post && Lease is null)
                return (HttpStatusCode.Created, Store(body!));
            if (method == HttpMethod.Post)
                return (HttpStatusCode.Conflict, """{"reason":"AlreadyExists"}""");
            if (Lease is null)
                return (HttpStatusCode.NotFound, """{"reason":"NotFound"}""");
            if (method == HttpMethod.Get)
                return (HttpStatusCode.OK, Lease.ToJsonString());
            return (string?)body!["metadata"]!["resourceVersion"] == (string?)Lease["metadata"]!["resourceVersion"]
                ? (HttpStatusCode.OK, Store(body))
                : (HttpStatusCode.Conflict, """{"reason":"Conflict"}""");
        }
    }

    private string Store(JsonObject lease)
    {
        lock (_lock)
        {
            lease["metadata"]!["resourceVersion"] = (++_version).ToString(CultureInfo.InvariantCulture);
            Lease = lease;
            return lease.ToJsonString();
        }
    }
}
