using Enclaves.Api;
using Enclaves.Tests.Cluster;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Xunit;

[assembly: AssemblyFixture(typeof(ClusterFixture))]

namespace Enclaves.Tests.Cluster;

/// <summary>The development cluster (dev/cluster up), with our CRD in it.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private TestWebhook? _webhook;

    /// <summary>Tells this run of the tests from any other on the same cluster.</summary>
    public string Run { get; } = $"r{Random.Shared.Next(0x1000000):x6}";

    /// <summary>Talks to the API server as the administrator.</summary>
    public Kubernetes Client { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(DevelopmentCluster.KubeconfigPath))
            throw new InvalidOperationException($"there is no kubeconfig at {DevelopmentCluster.KubeconfigPath}; start the cluster first: dev/cluster up");
        Client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(DevelopmentCluster.KubeconfigPath));
        await Wait.Until("the API server is ready", async () =>
        {
            await Client.CoreV1.ReadNamespaceAsync("default");
            return true;
        });
        await EnsureCrd();
        _webhook = await TestWebhook.Start(this, Run);
    }

    public async ValueTask DisposeAsync()
    {
        if (_webhook is not null)
            await _webhook.DisposeAsync();
        Client?.Dispose();
    }

    // Where the chart is installed it has brought the CRD. Otherwise it is applied here, marked so that helm adopts it later.
    private async Task EnsureCrd()
    {
        const string name = $"{NedNames.Plural}.{NedNames.Group}";
        try
        {
            await Client.ApiextensionsV1.ReadCustomResourceDefinitionAsync(name);
        }
        catch (HttpOperationException missing) when (missing.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            var text = await File.ReadAllTextAsync(Path.Combine(DevelopmentCluster.Repository, "charts/enclaves/templates/crd.yaml"));
            var crd = KubernetesYaml.Deserialize<V1CustomResourceDefinition>(text);
            crd.Metadata.Annotations["meta.helm.sh/release-name"] = "enclaves";
            crd.Metadata.Annotations["meta.helm.sh/release-namespace"] = "enclaves-system";
            crd.Metadata.Labels["app.kubernetes.io/managed-by"] = "Helm";
            await Client.ApiextensionsV1.CreateCustomResourceDefinitionAsync(crd);
        }

        await Wait.Until("the CRD is served", async () =>
        {
            await Client.CustomObjects.ListClusterCustomObjectAsync(NedNames.Group, NedNames.Version, NedNames.Plural, limit: 1);
            return true;
        });
    }
}
