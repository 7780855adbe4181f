using Enclaves.Api;
using k8s;
using k8s.Models;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>Service accounts with tokens and rights.</summary>
internal static class RestUsers
{
    /// <summary>What a reader of NEDs and all that belongs to them needs.</summary>
    public static readonly V1PolicyRule[] Reader =
    [
        Rule(NedNames.Group, NedNames.Plural, "get", "list", "watch"), Rule("", "events", "list"), Rule("", "pods", "list"), Rule("", "configmaps", "get"), Rule("", "pods/log", "get"),
    ];

    /// <summary>A right.</summary>
    public static V1PolicyRule Rule(string group, string resource, params string[] verbs) =>
        new() { ApiGroups = [group], Resources = [resource], Verbs = verbs };

    /// <summary>A new service account in a namespace with these rights in it, and a token of it.</summary>
    public static async Task<string> User(this ClusterFixture cluster, string space, string name, params V1PolicyRule[] rights)
    {
        await cluster.Client.CoreV1.CreateNamespacedServiceAccountAsync(new V1ServiceAccount { Metadata = new V1ObjectMeta { Name = name } }, space);
        if (rights.Length > 0)
            await cluster.Allow(space, space, name, rights);
        return await cluster.Token(space, name);
    }

    /// <summary>Gives a service account rights in a namespace.</summary>
    public static async Task Allow(this ClusterFixture cluster, string space, string homeOfUser, string user, params V1PolicyRule[] rights)
    {
        var role = await cluster.Client.RbacAuthorizationV1.CreateNamespacedRoleAsync(
            new V1Role { Metadata = new V1ObjectMeta { GenerateName = $"{user}-" }, Rules = rights }, space);
        await cluster.Client.RbacAuthorizationV1.CreateNamespacedRoleBindingAsync(new V1RoleBinding
        {
            Metadata = new V1ObjectMeta { GenerateName = $"{user}-" },
            RoleRef = new V1RoleRef { ApiGroup = "rbac.authorization.k8s.io", Kind = "Role", Name = role.Name() },
            Subjects = [new Rbacv1Subject { Kind = "ServiceAccount", Name = user, NamespaceProperty = homeOfUser }],
        }, space);
    }

    /// <summary>A new token of a service account.</summary>
    public static async Task<string> Token(this ClusterFixture cluster, string space, string name) => (await cluster.Client.CoreV1.CreateNamespacedServiceAccountTokenAsync(
        new Authenticationv1TokenRequest { Spec = new V1TokenRequestSpec { Audiences = [], ExpirationSeconds = 3600 } }, name, space)).Status.Token;

    /// <summary>Gives a service account rights to the NEDs of all namespaces, for as long as its own is there; all that there are without verbs.</summary>
    public static async Task AllowEverywhere(this ClusterFixture cluster, string space, string user, params string[] verbs)
    {
        var role = await cluster.Client.RbacAuthorizationV1.CreateClusterRoleAsync(new V1ClusterRole
        {
            Metadata = new V1ObjectMeta { Name = $"{space}-{user}", OwnerReferences = [await cluster.Owner(space)] },
            Rules = [Rule("k8s.oblv.com", "nitroenclavedeployments", verbs.Length > 0 ? verbs : ["get", "list", "watch", "patch"])],
        });
        await cluster.Client.RbacAuthorizationV1.CreateClusterRoleBindingAsync(new V1ClusterRoleBinding
        {
            Metadata = new V1ObjectMeta { Name = $"{space}-{user}", OwnerReferences = [await cluster.Owner(space)] },
            RoleRef = new V1RoleRef { ApiGroup = "rbac.authorization.k8s.io", Kind = "ClusterRole", Name = role.Name() },
            Subjects = [new Rbacv1Subject { Kind = "ServiceAccount", Name = user, NamespaceProperty = space }],
        });
    }

    // They go with the namespace.
    private static async Task<V1OwnerReference> Owner(this ClusterFixture cluster, string space)
    {
        var owner = await cluster.Client.CoreV1.ReadNamespaceAsync(space);
        return new V1OwnerReference { ApiVersion = "v1", Kind = "Namespace", Name = space, Uid = owner.Uid() };
    }
}
