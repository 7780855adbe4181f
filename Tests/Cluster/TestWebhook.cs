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

    private readonly Kubernetes _client;
    private readonly string _folder;
    private readonly int _https = ChildProcess.Ports.Next();
    private readonly int _http = ChildProcess.Ports.Next();
    private ChildProcess? _process;

    private TestWebhook(Kubernetes client, string run, string folder) => (_client, Run, _folder) = (client, run, folder);

    /// <summary>Value of <see cref="RunLabel"/> of the namespaces that it serves.</summary>
    public string Run { get; }

    private string Name => $"enclaves-test-{Run}";

    public static async Task<TestWebhook> Start(ClusterFixture cluster, string run)
    {
        var folder = Directory.CreateTempSubdirectory("enclaves-webhook-").FullName;
        await Certify("ca", folder);
        await Certify("leaf", folder, "webhook", DevelopmentCluster.HostAddress);
        var webhook = new TestWebhook(cluster.Client, run, folder);
        try
        {
            await webhook.Serve();
            await webhook.Register(new Uri($"https://{DevelopmentCluster.HostAddress}:{webhook._https}"), await File.ReadAllBytesAsync(Path.Combine(folder, "ca.crt")));
            await webhook.IsAsked(cluster);
            return webhook;
        }
        catch
        {
            await webhook.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the process, again after it was killed: where it was before.</summary>
    public async Task Serve()
    {
        _process = ChildProcess.Start("Webhook",
            "--tls-cert", Path.Combine(_folder, "webhook.crt"), "--tls-key", Path.Combine(_folder, "webhook.key"),
            "--https-port", $"{_https}", "--http-port", $"{_http}", "--drain-seconds", "0",
            "--enclave-host-image", EnclaveHostImage, "--driver", "qemu", "--node-label", "k8s.oblv.com/test=nowhere");
        await _process.Ready(_http);
    }

    /// <summary>SIGKILL. It stays registered.</summary>
    public async Task Kill()
    {
        if (_process is { } process)
            await process.DisposeAsync();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var item in (await _client.AdmissionregistrationV1.ListMutatingWebhookConfigurationAsync()).Items.Where(item => item.Name() == Name))
            await _client.AdmissionregistrationV1.DeleteMutatingWebhookConfigurationAsync(item.Name());
        foreach (var item in (await _client.AdmissionregistrationV1.ListValidatingWebhookConfigurationAsync()).Items.Where(item => item.Name() == Name))
            await _client.AdmissionregistrationV1.DeleteValidatingWebhookConfigurationAsync(item.Name());
        await Kill();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task Register(Uri address, byte[] authority)
    {
        var namespaces = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { [RunLabel] = Run } };
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
            Metadata = new V1ObjectMeta { Name = Name },
            Webhooks = [normalise, inject],
        });
        await _client.AdmissionregistrationV1.CreateValidatingWebhookConfigurationAsync(new V1ValidatingWebhookConfiguration
        {
            Metadata = new V1ObjectMeta { Name = Name },
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
    private async Task IsAsked(ClusterFixture cluster)
    {
        await using var space = await TestNamespace.Create(cluster, webhook: this);
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
