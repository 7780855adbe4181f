using System.Text;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>The Reconciler keeps a certificate in a Secret and tells webhook configurations, on a real API server.</summary>
public sealed class CertificateTests(ClusterFixture cluster)
{
    private const string Secret = "certificate";

    // Its own interval is ten seconds.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(12);

    private Kubernetes Client => cluster.Client;

    [Fact]
    public async Task From_an_empty_secret_to_a_certificate_that_is_trusted_and_then_not_a_write()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var configuration = await Configuration.Create(cluster, space.Name);
        await EmptySecret(space.Name);
        await using var reconciler = await Start(space.Name, configuration.Name);
        var secret = await Issued(space.Name, reconciler);
        (await configuration.Bundles()).ShouldAllBe(bundle => bundle == Text(secret, "ca.crt"));
        var entry = await configuration.Entry();
        entry.TimeoutSeconds.ShouldBe(7, "only caBundle is ours");
        entry.ClientConfig.Service.Name.ShouldBe("webhook");
        var writes = reconciler.Proxy.Writes.Count;
        await Task.Delay(Quiet, TestContext.Current.CancellationToken);
        reconciler.Proxy.Writes.Count.ShouldBe(writes, string.Join('\n', reconciler.Proxy.Writes));
    }

    [Fact]
    public async Task A_bundle_that_somebody_took_away_comes_back()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var configuration = await Configuration.Create(cluster, space.Name);
        await EmptySecret(space.Name);
        await using var reconciler = await Start(space.Name, configuration.Name);
        var secret = await Issued(space.Name, reconciler);
        await configuration.TakeAway();
        await Wait.Until("the bundle is back", async () => (await configuration.Bundles()).All(bundle => bundle == Text(secret, "ca.crt")), explain: () => reconciler.Log);
    }

    [Fact]
    public async Task After_the_content_of_the_secret_was_lost_the_old_authority_is_still_trusted()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var configuration = await Configuration.Create(cluster, space.Name);
        await EmptySecret(space.Name);
        await using var reconciler = await Start(space.Name, configuration.Name);
        var lost = Text(await Issued(space.Name, reconciler), "ca.crt");
        await Client.CoreV1.PatchNamespacedSecretAsync(new V1Patch("""{"data":null}""", V1Patch.PatchType.MergePatch), Secret, space.Name, cancellationToken: TestContext.Current.CancellationToken);
        await Wait.Until("another certificate", async () => await Read(space.Name) is { Data: { } data } && data.ContainsKey("tls.crt"), explain: () => reconciler.Log);
        var secret = await Read(space.Name);
        Text(secret, "ca.crt").ShouldNotBe(lost);
        await Wait.Until("both are trusted", async () => (await configuration.Bundles()).All(bundle => bundle == Text(secret, "ca.crt") + lost), explain: () => reconciler.Log);
    }

    private static Task<ReconcilerProcess> Start(string space, string configuration) => ReconcilerProcess.Start(space,
        "--certificates:namespace", space, "--certificates:secret", Secret, "--certificates:service", "webhook",
        "--certificates:configuration", configuration, "--certificates:settle", "00:00:01");

    private static string Text(V1Secret secret, string key) => Encoding.UTF8.GetString(secret.Data[key]);

    private Task<V1Secret> EmptySecret(string space) => Client.CoreV1.CreateNamespacedSecretAsync(new V1Secret { Metadata = new V1ObjectMeta { Name = Secret } }, space);

    private Task<V1Secret> Read(string space) => Client.CoreV1.ReadNamespacedSecretAsync(Secret, space);

    // In it, and told to the configurations.
    private async Task<V1Secret> Issued(string space, ReconcilerProcess reconciler)
    {
        await Wait.Until("a certificate", async () => (await Read(space)).Data?.ContainsKey("tls.crt") == true, explain: () => reconciler.Log);
        return await Read(space);
    }

    /// <summary>Webhook configurations that no request ever meets: they are for a label that nothing has.</summary>
    internal sealed class Configuration : IAsyncDisposable
    {
        private readonly Kubernetes _client;

        private Configuration(Kubernetes client, string name) => (_client, Name) = (client, name);

        public string Name { get; }

        public static async Task<Configuration> Create(ClusterFixture cluster, string name)
        {
            var configuration = new Configuration(cluster.Client, name);
            var nowhere = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["k8s.oblv.com/test"] = "nowhere" } };
            var service = new Admissionregistrationv1WebhookClientConfig
            {
                Service = new Admissionregistrationv1ServiceReference { Name = "webhook", NamespaceProperty = name },
            };
            await cluster.Client.AdmissionregistrationV1.CreateMutatingWebhookConfigurationAsync(new V1MutatingWebhookConfiguration
            {
                Metadata = new V1ObjectMeta { Name = name },
                Webhooks = [.. new[] { "one.test.k8s.oblv.com", "two.test.k8s.oblv.com" }.Select(entry => new V1MutatingWebhook
                {
                    Name = entry, ClientConfig = service, NamespaceSelector = nowhere, SideEffects = "None", TimeoutSeconds = 7, AdmissionReviewVersions = ["v1"],
                })],
            });
            await cluster.Client.AdmissionregistrationV1.CreateValidatingWebhookConfigurationAsync(new V1ValidatingWebhookConfiguration
            {
                Metadata = new V1ObjectMeta { Name = name },
                Webhooks = [new V1ValidatingWebhook { Name = "one.test.k8s.oblv.com", ClientConfig = service, NamespaceSelector = nowhere, SideEffects = "None", AdmissionReviewVersions = ["v1"] }],
            });
            return configuration;
        }

        public async Task<V1MutatingWebhook> Entry() => (await _client.AdmissionregistrationV1.ReadMutatingWebhookConfigurationAsync(Name)).Webhooks[1];

        public async Task<IReadOnlyList<string>> Bundles() =>
        [
            .. (await _client.AdmissionregistrationV1.ReadMutatingWebhookConfigurationAsync(Name)).Webhooks.Select(entry => Encoding.UTF8.GetString(entry.ClientConfig.CaBundle ?? [])),
            .. (await _client.AdmissionregistrationV1.ReadValidatingWebhookConfigurationAsync(Name)).Webhooks.Select(entry => Encoding.UTF8.GetString(entry.ClientConfig.CaBundle ?? [])),
        ];

        public async Task TakeAway()
        {
            var live = await _client.AdmissionregistrationV1.ReadMutatingWebhookConfigurationAsync(Name);
            live.Webhooks[0].ClientConfig.CaBundle = null;
            await _client.AdmissionregistrationV1.ReplaceMutatingWebhookConfigurationAsync(live, Name);
        }

        public async ValueTask DisposeAsync()
        {
            await _client.AdmissionregistrationV1.DeleteMutatingWebhookConfigurationAsync(Name);
            await _client.AdmissionregistrationV1.DeleteValidatingWebhookConfigurationAsync(Name);
        }
    }
}
