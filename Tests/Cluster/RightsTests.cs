using Enclaves.Api;
using Enclaves.Tests.Cluster.Rest;
using Enclaves.Tests.EndToEnd;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// The Reconciler runs as the service account that the chart makes, with exactly the rules that the chart gives it. Each verb is one that it
/// uses, and nothing that it does is forbidden.
/// </summary>
public sealed class RightsTests(ClusterFixture cluster)
{
    // Asked by the API server of itself, where OwnerReferencesPermissionEnforcement is on, as it is in the development cluster.
    private const string Finalizers = $"{NedNames.Group}/{NedNames.Plural}/finalizers update";

    [Fact]
    public async Task Every_verb_of_the_chart_is_used_and_none_is_missing()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var release = await Release.Install(cluster, space.Name);
        await using var configuration = await CertificateTests.Configuration.Create(cluster, space.Name);
        var used = new UsedRights();
        await using var rest = await RestApi.Prepare(ChildProcess.Ports.Next());
        await using var reconciler = await Start(space.Name, used, space.Name, "one", rest.Arguments);
        await Wait.Until("the webhook configurations have a bundle", async () => (await configuration.Bundles()).All(bundle => bundle.Length > 0), explain: () => reconciler.Log);
        await WorkAsync(space, reconciler, used);
        await AskAsync(space, reconciler, rest);
        // A second one that sees all namespaces, as the chart's does; it stands by, so that it touches none of them.
        await using (await Start(space.Name, used, "", "two"))
        {
            await Wait.Until("all namespaces are watched", () => Task.FromResult(used.Used.Contains("/namespaces watch")));
        }

        await Wait.Until("every right is used", () => Task.FromResult(Unused().Count == 0),
            TimeSpan.FromSeconds(30), () => $"granted and never used: {string.Join(", ", Unused())}");
        used.Forbidden.ShouldBeEmpty();

        // Without the one that no request shows, the next owner reference is refused.
        await release.Revoke(Finalizers);
        await space.Create(Neds.Valid("another"));
        var refused = await space.Reconciled(NedStatusWords.Error, "another", () => reconciler.Log);
        ((string)refused.Condition("Scheduled")["message"]!).ShouldContain("blockOwnerDeletion");

        List<string> Unused() => [.. release.Granted.Where(right => right != Finalizers && !used.Used.Contains(right))];
    }

    // What makes it use its rights: children made, mended, changed and removed, and pods that wait.
    private static async Task WorkAsync(TestNamespace space, ReconcilerProcess reconciler, UsedRights used)
    {
        var ned = Neds.Valid();
        ned["spec"]!["revisionHistoryLimit"] = 0;
        await space.Create(ned);
        await space.Reconciled(explain: () => reconciler.Log);

        // One on a node whose kubelet has not told of its containers yet: no scheduler says otherwise of it.
        await space.CreatePod(new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                Name = "waiting",
                Labels = new Dictionary<string, string> { [NedLabels.ManagedBy] = NedLabels.ManagedByValue, [NedLabels.Deployment] = Neds.Name },
            },
            Spec = new V1PodSpec { NodeName = "nowhere", Containers = [new V1Container { Name = "enclave-host", Image = "registry.example/enclave-host:1" }] },
        });
        await space.PatchPodStatus("waiting", """{"status":{"conditions":[{"type":"PodScheduled","status":"True"}]}}""");
        await Wait.Until("its events are asked for", () => Task.FromResult(used.Used.Contains("/events list")), explain: () => reconciler.Log);

        await space.DeleteService();
        await Wait.Until("the Service is back", async () => await space.Service() is not null, explain: () => reconciler.Log);
        await space.DeleteDeployment();
        await Wait.Until("the Deployment is back", async () => await space.Deployment() is not null, explain: () => reconciler.Log);
        await space.DeleteConfigMap((await space.Manifests()).Single().Name());
        await Wait.Until("the manifest is back", async () => (await space.Manifests()).Count == 1, explain: () => reconciler.Log);

        // Without a port that is exposed there is no Service, and without replicas the ReplicaSet of the former template goes at once.
        await space.Settled();
        await space.Patch(Neds.Name, """{"spec":{"replicas":0,"userPlugins":[{"name":"web","image":"registry.example/web:2"}]}}""");
        await Wait.Until("the Service is gone", async () => await space.Service() is null, explain: () => reconciler.Log);
        await Wait.Until("the former manifest is gone", async () => (await space.Manifests()).Count == 1, explain: () => reconciler.Log);
    }

    // What people ask of it over REST.
    private async Task AskAsync(TestNamespace space, ReconcilerProcess reconciler, RestApi rest)
    {
        var client = rest.Generated(await cluster.User(space.Name, "operator", [.. RestUsers.Reader, RestUsers.Rule(NedNames.Group, NedNames.Plural, "patch")]));
        await Wait.Until("it is shown", async () => (await client.ListAsync(space.Name)).Items.Count == 1, explain: () => reconciler.Log);
        // Of a pod that no node runs there is no log, but it was asked for.
        (await Should.ThrowAsync<Client.ApiException>(() => client.GetLogsAsync(space.Name, Neds.Name, "waiting"))).StatusCode.ShouldBeOneOf(409, 503);
        await client.ReconcileAsync(space.Name, Neds.Name);
        await Wait.Until("it is carried out", async () => (await client.GetAsync(space.Name, Neds.Name)).WaitingActions.Count == 0, explain: () => reconciler.Log);
    }

    private static Task<ReconcilerProcess> Start(string space, UsedRights used, string watched, string identity, params string[] arguments)
    {
        void Watch(ApiProxy proxy) => (proxy.As, proxy.Answered) = ($"system:serviceaccount:{space}:{space}-reconciler", used.Take);
        return ReconcilerProcess.Start(space, Watch,
            ["--namespace", watched, "--lease:namespace", space, "--lease:name", $"{space}-reconciler", "--lease:identity", identity,
            "--certificates:namespace", space, "--certificates:secret", $"{space}-webhook-certificate", "--certificates:service", "webhook",
            "--certificates:configuration", space, "--certificates:settle", "00:00:01", .. arguments]);
    }

    /// <summary>The roles and bindings of the chart for one namespace, and nothing else of it: the release has the namespace's name.</summary>
    private sealed class Release : IAsyncDisposable
    {
        private readonly Kubernetes _client;
        private readonly List<V1ClusterRole> _clusterRoles;

        private Release(Kubernetes client, List<V1ClusterRole> clusterRoles, IEnumerable<V1PolicyRule> rules)
        {
            (_client, _clusterRoles) = (client, clusterRoles);
            Granted = [.. rules.SelectMany(UsedRights.Granted).Distinct()];
        }

        /// <summary>What the chart gives to the Reconciler's service account.</summary>
        public IReadOnlyList<string> Granted { get; }

        public static async Task<Release> Install(ClusterFixture cluster, string name)
        {
            var rendered = await Tool.Run("helm", null, "template", name, Path.Combine(DevelopmentCluster.Repository, "charts/enclaves"), "-n", name,
                "--set", "images.webhook=w,images.reconciler=r,images.enclaveHost=e", "--show-only", "templates/rbac.yaml", "--show-only", "templates/certificates.yaml");
            rendered.ExitCode.ShouldBe(0, rendered.Error);
            var objects = KubernetesYaml.LoadAllFromString(rendered.Output);
            var bound = objects.OfType<V1ClusterRoleBinding>().Select(binding => binding.RoleRef.Name).ToHashSet();
            // The others are for people.
            var clusterRoles = objects.OfType<V1ClusterRole>().Where(role => bound.Contains(role.Name())).ToList();
            clusterRoles.Count.ShouldBe(2);
            var client = cluster.Client;
            foreach (var secret in objects.OfType<V1Secret>())
                await client.CoreV1.CreateNamespacedSecretAsync(secret, name);
            foreach (var role in objects.OfType<V1Role>())
                await client.RbacAuthorizationV1.CreateNamespacedRoleAsync(role, name);
            foreach (var binding in objects.OfType<V1RoleBinding>())
                await client.RbacAuthorizationV1.CreateNamespacedRoleBindingAsync(binding, name);
            foreach (var role in clusterRoles)
                await client.RbacAuthorizationV1.CreateClusterRoleAsync(role);
            foreach (var binding in objects.OfType<V1ClusterRoleBinding>())
                await client.RbacAuthorizationV1.CreateClusterRoleBindingAsync(binding);
            return new Release(client, clusterRoles, objects.OfType<V1Role>().SelectMany(role => role.Rules).Concat(clusterRoles.SelectMany(role => role.Rules)));
        }

        /// <summary>Takes a right away, and the rules with it that give nothing else.</summary>
        public async Task Revoke(string right)
        {
            var role = _clusterRoles.Single(role => role.Rules.Any(rule => UsedRights.Granted(rule).Contains(right)));
            role.Rules = [.. role.Rules.Where(rule => !UsedRights.Granted(rule).SequenceEqual([right]))];
            role.Metadata.ResourceVersion = null;
            await _client.RbacAuthorizationV1.ReplaceClusterRoleAsync(role, role.Name());
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var role in _clusterRoles)
            {
                await _client.RbacAuthorizationV1.DeleteClusterRoleBindingAsync(role.Name());
                await _client.RbacAuthorizationV1.DeleteClusterRoleAsync(role.Name());
            }
        }
    }
}
