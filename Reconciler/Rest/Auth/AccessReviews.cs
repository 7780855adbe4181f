using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>What somebody wants to do, in the terms of Kubernetes RBAC.</summary>
/// <param name="Verb">Verb, such as list.</param>
/// <param name="Group">API group; empty for the core group.</param>
/// <param name="Resource">Plural name.</param>
/// <param name="Namespace">Namespace; empty for all of them.</param>
/// <param name="Name">Object; empty for any.</param>
/// <param name="Subresource">Sub-resource; empty for the object itself.</param>
internal sealed record Access(string Verb, string Group, string Resource, string Namespace = "", string Name = "", string Subresource = "")
{
    /// <summary>A verb on NitroEnclaveDeployments.</summary>
    public static Access ToNeds(string verb, string space = "", string name = "") => new(verb, NedNames.Group, NedNames.Plural, space, name);

    /// <summary>For messages: "get nitroenclavedeployments.k8s.oblv.com default/hello".</summary>
    public override string ToString() =>
        $"{Verb} {Resource}{(Subresource.Length > 0 ? "/" + Subresource : "")}{(Group.Length > 0 ? "." + Group : "")}"
        + (Namespace.Length == 0 ? " in all namespaces" : Name.Length == 0 ? $" in the namespace {Namespace}" : $" {Namespace}/{Name}");
}

/// <summary>Asks the API server what somebody may do, so that Kubernetes RBAC is the only policy. An answer holds for a few seconds.</summary>
internal sealed class AccessReviews(ApiServer server, TimeProvider time) : IDisposable
{
    private const int Most = 16_384;
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RefusedLife = TimeSpan.FromSeconds(5);

    private readonly ReviewCache<(string Caller, Access Access), bool> _cache = new(time, Most);

    /// <summary>Whether they may.</summary>
    /// <exception cref="ApiException">The API server refuses to tell.</exception>
    /// <exception cref="TimeoutException">It does not answer.</exception>
    /// <exception cref="TooManyQuestionsException">They ask too much at once.</exception>
    public Task<bool> MayAsync(Caller caller, Access access, CancellationToken cancellation) =>
        _cache.GetAsync((caller.Key, access), caller.Name, async limit =>
        {
            var spec = caller.Spec();
            spec["resourceAttributes"] = new JsonObject
            {
                ["verb"] = access.Verb,
                ["group"] = access.Group,
                ["resource"] = access.Resource,
                ["subresource"] = access.Subresource,
                ["namespace"] = access.Namespace,
                ["name"] = access.Name,
            };
            var status = await server.ReviewAsync(ResourceKind.SubjectAccessReview, spec, limit);
            var may = status.TryGetProperty("allowed", out var allowed) && allowed.ValueKind == JsonValueKind.True;
            return new Judgement<bool>(may, may ? Life : RefusedLife);
        }, cancellation);

    /// <inheritdoc />
    public void Dispose() => _cache.Dispose();
}
