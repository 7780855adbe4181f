using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using k8s;
using k8s.Models;

namespace Enclaves.Tests.Benchmarks.Availability;

/// <summary>The Webhook as the chart has installed it on the development cluster, and what is done to it.</summary>
internal sealed class Installed(string kubeconfig) : IDisposable
{
    private const string Namespace = "enclaves-system";
    private const string Configuration = "enclaves";
    private const string Webhook = "enclaves-webhook";
    private const string Secret = "enclaves-webhook-certificate";
    private const int Port = 8443;

    private readonly Kubernetes _client = new(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));

    /// <summary>The name by which API servers call it, and which its certificate is for.</summary>
    public static string Host => $"{Webhook}.{Namespace}.svc";

    /// <summary>Address of the Service, which no name server of this machine knows.</summary>
    public async Task<string> ServiceAddress(CancellationToken cancellation) =>
        (await _client.CoreV1.ReadNamespacedServiceAsync(Webhook, Namespace, cancellationToken: cancellation)).Spec.ClusterIP;

    /// <summary>What API servers trust at the moment.</summary>
    public async Task<X509Certificate2Collection> Authorities(CancellationToken cancellation)
    {
        var configuration = await _client.AdmissionregistrationV1.ReadMutatingWebhookConfigurationAsync(Configuration, cancellationToken: cancellation);
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(System.Text.Encoding.UTF8.GetString(configuration.Webhooks[0].ClientConfig.CaBundle));
        return authorities;
    }

    /// <summary>Asks for a new authority and waits until every pod serves a certificate of it.</summary>
    public async Task Rotate(CancellationToken cancellation)
    {
        var before = await Issued(cancellation);
        await _client.CoreV1.PatchNamespacedSecretAsync(
            Merge(new { metadata = new { annotations = new Dictionary<string, string> { ["k8s.oblv.com/rotate"] = "" } } }), Secret, Namespace, cancellationToken: cancellation);
        await Until(async () => await Issued(cancellation) is var now && now.Authority != before.Authority && now.Leaf != before.Leaf, cancellation);
        var issued = (await Issued(cancellation)).Leaf;
        foreach (var pod in (await Pods(cancellation)).Items)
            await Until(async () => await Served(pod.Status.PodIP, cancellation) == issued, cancellation);
    }

    /// <summary>What <c>kubectl rollout restart</c> does, and waits until only new pods are left.</summary>
    public async Task Restart(CancellationToken cancellation)
    {
        var before = (await Pods(cancellation)).Items.Select(pod => pod.Name()).ToHashSet();
        await _client.AppsV1.PatchNamespacedDeploymentAsync(
            Merge(new { spec = new { template = new { metadata = new { annotations = new Dictionary<string, string> { ["kubectl.kubernetes.io/restartedAt"] = $"{DateTime.UtcNow:O}" } } } } }),
            Webhook, Namespace, cancellationToken: cancellation);
        await Until(async () =>
            !(await Pods(cancellation)).Items.Any(pod => before.Contains(pod.Name()))
            && (await _client.AppsV1.ReadNamespacedDeploymentAsync(Webhook, Namespace, cancellationToken: cancellation)).Status is { UnavailableReplicas: null or 0 }, cancellation);
    }

    public void Dispose() => _client.Dispose();

    private static V1Patch Merge(object patch) => new(JsonSerializer.Serialize(patch), V1Patch.PatchType.MergePatch);

    private static async Task Until(Func<Task<bool>> holds, CancellationToken cancellation)
    {
        while (!await holds())
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellation);
    }

    private Task<V1PodList> Pods(CancellationToken cancellation) =>
        _client.CoreV1.ListNamespacedPodAsync(Namespace, labelSelector: "app.kubernetes.io/component=webhook", cancellationToken: cancellation);

    private async Task<(string Authority, string Leaf)> Issued(CancellationToken cancellation)
    {
        var secret = await _client.CoreV1.ReadNamespacedSecretAsync(Secret, Namespace, cancellationToken: cancellation);
        string Thumbprint(string key)
        {
            using var certificate = X509Certificate2.CreateFromPem(System.Text.Encoding.UTF8.GetString(secret.Data[key]));
            return certificate.Thumbprint;
        }

        return (Thumbprint("ca.crt"), Thumbprint("tls.crt"));
    }

    // Only to see which certificate it is; the load checks whether it is trusted.
    private static async Task<string?> Served(string address, CancellationToken cancellation)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address, Port, cancellation);
        string? thumbprint = null;
        await using var stream = new SslStream(client.GetStream(), false, (_, certificate, _, _) => (thumbprint = certificate?.GetCertHashString()) is not null);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = Host }, cancellation);
        return thumbprint;
    }
}
