using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using k8s;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

/// <summary>What the REST API asks the API server: whose a token is and what they may do, as a test says, and the rest by the test's own answer.</summary>
internal sealed class FakeKubernetes : DelegatingHandler
{
    private readonly ConcurrentQueue<string> _asked = new();

    /// <summary>A client of it.</summary>
    public ApiServer Client() => new(new Kubernetes(new KubernetesClientConfiguration { Host = "http://kubernetes.invalid" }, this));

    /// <summary>Users by their tokens.</summary>
    public ConcurrentDictionary<string, string> Users { get; } = new();

    /// <summary>Whether a user may, by the user's name, the verb and the namespace ("" for all).</summary>
    public Func<string, string, string, bool> May { get; set; } = (_, _, _) => true;

    /// <summary>Awaited before a token is judged.</summary>
    public Func<string, Task> BeforeTokenReview { get; set; } = _ => Task.CompletedTask;

    /// <summary>Answers whatever is no review.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage> Answer { get; set; } = _ => Json(HttpStatusCode.NotFound, """{"reason":"NotFound"}""");

    /// <summary>Each request: method and path.</summary>
    public IReadOnlyCollection<string> Asked => _asked;

    public static HttpResponseMessage Json(HttpStatusCode code, string body) => new(code) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        _asked.Enqueue($"{request.Method} {path}");
        var spec = request.Content is not null && path.EndsWith("reviews", StringComparison.Ordinal)
            ? JsonNode.Parse(await request.Content.ReadAsStringAsync(cancellationToken))!["spec"]!
            : null;
        if (path.EndsWith("/tokenreviews", StringComparison.Ordinal))
        {
            var token = (string)spec!["token"]!;
            await BeforeTokenReview(token).WaitAsync(cancellationToken);
            var user = Users.GetValueOrDefault(token);
            return Judged(new JsonObject { ["authenticated"] = user is not null, ["user"] = new JsonObject { ["username"] = user } });
        }

        if (!path.EndsWith("/subjectaccessreviews", StringComparison.Ordinal))
            return Answer(request);
        var wanted = spec!["resourceAttributes"]!;
        var may = May((string)spec["user"]!, (string)wanted["verb"]!, (string)wanted["namespace"]!);
        return Judged(new JsonObject { ["allowed"] = may });
    }

    private static HttpResponseMessage Judged(JsonObject status) => Json(HttpStatusCode.Created, new JsonObject { ["status"] = status }.ToJsonString());
}
