using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// Each virtual machine wants the processor for itself.
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace Enclaves.Tests.EndToEnd;

/// <summary>A NED of the sample in a namespace of its own, which disposing takes away.</summary>
internal sealed class Deployed : IAsyncDisposable
{
    /// <summary>The sample that most tests take.</summary>
    public const string Hello = "hello";

    /// <summary>Boot by software emulation, pull and start, with room for a busy machine.</summary>
    public static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(240);

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero })
    {
        Timeout = TimeSpan.FromSeconds(15),
    };

    private Deployed(string name, string @namespace) => (Name, Namespace) = (name, @namespace);

    /// <summary>Of the NED, which is that of its sample's file.</summary>
    public string Name { get; }

    public string Namespace { get; }

    /// <summary>A file of samples/, by its name without the ending.</summary>
    public static string SampleYaml(string sample = Hello) => File.ReadAllText(Path.Combine(Repository, "samples", $"{sample}.yaml"));

    /// <summary>The root of the repository.</summary>
    public static string Repository
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "Enclaves.sln")))
                folder = folder.Parent;
            return folder.FullName;
        }
    }

    /// <summary>What kubectl apply printed, warnings included.</summary>
    public string ApplyOutput { get; private set; } = "";

    /// <summary>Applies a sample as it is, or as the test changes its text.</summary>
    public static async Task<Deployed> Apply(string sample = Hello, Func<string, string>? change = null)
    {
        var @namespace = $"e2e-{Guid.NewGuid():N}"[..12];
        await Kubectl.Run("create", "namespace", @namespace);
        var deployed = new Deployed(sample, @namespace);
        try
        {
            deployed.ApplyOutput = await Kubectl.Apply(change is null ? SampleYaml(sample) : change(SampleYaml(sample)), @namespace);
            return deployed;
        }
        catch
        {
            await deployed.DisposeAsync();
            throw;
        }
    }

    public Task<JsonNode> Ned() => Kubectl.Get("ned", Name, "-n", Namespace);

    public Task UntilReady(string ready = "1/1") => Eventually.Holds(
        $"READY {ready}", ReadyLimit, async () => (string?)(await Ned())["status"]?["ready"] == ready, Explain);

    /// <summary>Waits until this is why the enclaves are not healthy, and returns what is said of it.</summary>
    public Task<string> Unhealthy(string reason, TimeSpan? limit = null) => Eventually.Get($"EnclavesHealthy is False for {reason}", limit ?? ReadyLimit, async () =>
    {
        var conditions = (await Ned())["status"]?["conditions"]?.AsArray() ?? [];
        var healthy = conditions.FirstOrDefault(condition => (string?)condition!["type"] == "EnclavesHealthy");
        return (string?)healthy?["status"] == "False" && (string?)healthy["reason"] == reason ? (string?)healthy["message"] : null;
    }, Explain);

    /// <summary>Merges a patch into the NED.</summary>
    public Task Patch(string mergePatch) => Kubectl.Run("patch", "ned", Name, "-n", Namespace, "--type=merge", "-p", mergePatch);

    /// <summary>The one pod that is not on its way out.</summary>
    public async Task<JsonNode> Pod() => (await Pods()).Single(pod => pod["metadata"]!["deletionTimestamp"] is null);

    /// <summary>All pods, those on their way out too.</summary>
    public async Task<IReadOnlyList<JsonNode>> Pods()
    {
        var pods = await Kubectl.Get("pods", "-n", Namespace, "-l", $"k8s.oblv.com/deployment={Name}");
        return [.. pods["items"]!.AsArray().Select(pod => pod!)];
    }

    /// <summary>What the Service answers as soon as kube-proxy has followed its endpoints, which it does a moment after READY.</summary>
    public Task<string> Answer(TimeSpan? limit = null) =>
        Eventually.Get("an answer of the Service", limit ?? TimeSpan.FromSeconds(60), async () => await Ask(), Explain);

    /// <summary>One request to the Service.</summary>
    public async Task<string> Ask(string path = "/")
    {
        var service = await Kubectl.Get("service", Name, "-n", Namespace);
        return await Http.GetStringAsync(new Uri($"http://{service["spec"]!["clusterIP"]}{path}"));
    }

    /// <summary>EnclaveHost's /status of the one pod.</summary>
    public async Task<JsonNode> Status() => await Status(await Pod());

    /// <summary>EnclaveHost's /status of a pod.</summary>
    public static async Task<JsonNode> Status(JsonNode pod) =>
        (await Http.GetFromJsonAsync<JsonNode>(new Uri($"http://{pod["status"]!["podIP"]}:8080/status")))!;

    public async Task<int> EndpointCount()
    {
        var endpoints = await Kubectl.Get("endpoints", Name, "-n", Namespace);
        return endpoints["subsets"]?.AsArray().Sum(subset => subset!["addresses"]?.AsArray().Count ?? 0) ?? 0;
    }

    /// <summary>What a person would look at, for the message of a failed wait.</summary>
    public async Task<string> Explain()
    {
        var objects = await Kubectl.Try(null, "get", "ned,deployment,replicaset,pods,events", "-n", Namespace, "-o", "wide");
        var logs = await Kubectl.Try(null, "logs", "-n", Namespace, "-l", $"k8s.oblv.com/deployment={Name}", "--tail=40");
        return objects.Output + objects.Error + logs.Output + logs.Error;
    }

    public async ValueTask DisposeAsync()
    {
        await Kubectl.Run("delete", "namespace", Namespace, "--wait=false");
        // Nothing is created in it any more. With a second of grace, or each test would end with the time for connections that nobody makes.
        await Kubectl.Run("delete", "pods", "--all", "-n", Namespace, "--grace-period=1", "--wait=false");
        await Kubectl.Run("delete", "namespace", Namespace, "--ignore-not-found", "--wait=true", "--timeout=300s");
    }
}
