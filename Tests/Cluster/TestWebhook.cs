using System.Diagnostics;
using Enclaves.Api;
using k8s;
using k8s.Models;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// The Webhook as a process on this machine, called by the API server by address, for the namespaces of this run only. The certificate is
/// by an authority of its own, as a cluster's administrator would make one.
/// </summary>
internal sealed class TestWebhook : IAsyncDisposable
{
    /// <summary>Label of the namespaces that are served; its value is the run.</summary>
    public const string RunLabel = "k8s.oblv.com/test-run";

    /// <summary>What the Webhook of this run puts into pods. No node has the label, so that they stay Pending.</summary>
    public const string EnclaveHostImage = "registry.example/enclave-host:test";

    // What an API server allows at most: a late answer on a busy machine is no failure.
    private const int LongestTimeout = 30;

    private const string Validating = "validate.test.k8s.oblv.com";

    // Where the cluster reaches this machine (dev/lib/paths.sh).
    private const string HostAddress = "10.210.0.1";

    private readonly Kubernetes _client;
    private readonly string _name;
    private readonly string _folder;
    private readonly ChildProcess _process;

    private TestWebhook(Kubernetes client, string name, string folder, ChildProcess process) =>
        (_client, _name, _folder, _process) = (client, name, folder, process);

    public static async Task<TestWebhook> Start(ClusterFixture cluster)
    {
        var (client, run) = (cluster.Client, cluster.Run);
        var folder = Directory.CreateTempSubdirectory("enclaves-webhook-").FullName;
        await Certify("ca", folder);
        await Certify("leaf", folder, "webhook", HostAddress);
        var (https, http) = (ChildProcess.Ports.Next(), ChildProcess.Ports.Next());
        var process = ChildProcess.Start("Webhook",
            "--tls-cert", Path.Combine(folder, "webhook.crt"), "--tls-key", Path.Combine(folder, "webhook.key"),
            "--https-port", $"{https}", "--http-port", $"{http}", "--drain-seconds", "0",
            "--enclave-host-image", EnclaveHostImage, "--driver", "qemu", "--node-label", "k8s.oblv.com/test=nowhere");
        var webhook = new TestWebhook(client, $"enclaves-test-{run}", folder, process);
        try
        {
            await process.Ready(http);
            await webhook.Register(new Uri($"https://{HostAddress}:{https}"), run, await File.ReadAllBytesAsync(Path.Combine(folder, "ca.crt")));
            await IsAsked(cluster);
            return webhook;
        }
        catch
        {
            await webhook.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var item in (await _client.AdmissionregistrationV1.ListMutatingWebhookConfigurationAsync()).Items.Where(item => item.Name() == _name))
            await _client.AdmissionregistrationV1.DeleteMutatingWebhookConfigurationAsync(item.Name());
        foreach (var item in (await _client.AdmissionregistrationV1.ListValidatingWebhookConfigurationAsync()).Items.Where(item => item.Name() == _name))
            await _client.AdmissionregistrationV1.DeleteValidatingWebhookConfigurationAsync(item.Name());
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task Register(Uri address, string run, byte[] authority)
    {
        var namespaces = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { [RunLabel] = run } };
        Admissionregistrationv1WebhookClientConfig At(string path) => new() { Url = new Uri(address, path).ToString(), CaBundle = authority };
        V1RuleWithOperations Rule(string group, string version, string resource, params string[] operations) =>
            new() { ApiGroups = [group], ApiVersions = [version], Resources = [resource], Operations = operations, Scope = "Namespaced" };
        var neds = Rule(NedNames.Group, NedNames.Version, NedNames.Plural, "CREATE", "UPDATE");

        V1MutatingWebhook Mutating(string name, string path, V1RuleWithOperations rule) => new()
        {
            Name = name,
            ClientConfig = At(path),
            Rules = [rule],
            NamespaceSelector = namespaces,
            FailurePolicy = "Fail",
            SideEffects = "None",
            TimeoutSeconds = LongestTimeout,
            AdmissionReviewVersions = ["v1"],
        };

        var normalise = Mutating("normalise.test.k8s.oblv.com", "/mutate-k8s-oblv-com-v1alpha1-nitroenclavedeployment", neds);
        var inject = Mutating("inject.test.k8s.oblv.com", "/mutate-v1-pod", Rule("", "v1", "pods", "CREATE"));
        inject.ObjectSelector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { [NedLabels.Inject] = NedLabels.InjectValue } };
        inject.ReinvocationPolicy = "IfNeeded";
        await _client.AdmissionregistrationV1.CreateMutatingWebhookConfigurationAsync(new V1MutatingWebhookConfiguration
        {
            Metadata = new V1ObjectMeta { Name = _name },
            Webhooks = [normalise, inject],
        });
        await _client.AdmissionregistrationV1.CreateValidatingWebhookConfigurationAsync(new V1ValidatingWebhookConfiguration
        {
            Metadata = new V1ObjectMeta { Name = _name },
            Webhooks =
            [
                new V1ValidatingWebhook
                {
                    Name = Validating,
                    ClientConfig = At("/validate-k8s-oblv-com-v1alpha1-nitroenclavedeployment"),
                    Rules = [neds],
                    NamespaceSelector = namespaces,
                    FailurePolicy = "Fail",
                    SideEffects = "None",
                    TimeoutSeconds = LongestTimeout,
                    AdmissionReviewVersions = ["v1"],
                },
            ],
        });
    }

    // An API server takes a moment to learn of a webhook, and lets everything pass until then.
    private static async Task IsAsked(ClusterFixture cluster)
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        var invalid = Neds.Valid();
        invalid["spec"]!["userPlugins"]![0]!["image"] = "Not An Image";
        await Wait.Until("the API server asks the webhooks", async () =>
            (await space.TryCreate(Neds.Valid())).Contains("\"service\"", StringComparison.Ordinal)
            && (await space.TryCreate(invalid)).Contains(Validating, StringComparison.Ordinal));
    }

    private static async Task Certify(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(DevelopmentCluster.Repository, "certs/dev-ca"), arguments)
        {
            RedirectStandardError = true,
        })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"certs/dev-ca {string.Join(' ', arguments)}: exit {process.ExitCode}: {errors}");
    }
}
