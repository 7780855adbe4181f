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
    public const string Name = "hello";

    /// <summary>Boot by software emulation, pull and start, with room for a busy machine.</summary>
    public static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(240);

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero })
    {
        Timeout = TimeSpan.FromSeconds(15),
    };

    private Deployed(string @namespace) => Namespace = @namespace;

    public string Namespace { get; }

    public static string SampleYaml => File.ReadAllText(Path.Combine(Repository, "samples", "hello.yaml"));

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

    /// <summary>Applies the sample, or another text for a NED of its name.</summary>
    public static async Task<Deployed> Apply(string? yaml = null)
    {
        var @namespace = $"e2e-{Guid.NewGuid():N}"[..12];
        await Kubectl.Run("create", "namespace", @namespace);
        var deployed = new Deployed(@namespace);
        try
        {
            deployed.ApplyOutput = await Kubectl.Apply(yaml ?? SampleYaml, @namespace);
            return deployed;
        }
        catch
        {
            await deployed.DisposeAsync();
            throw;
        }
    }

    public Task<JsonNode> Ned() => Kubectl.Get("ned", Name, "-n", Namespace);

    public Task UntilReady() => Eventually.Holds(
        "READY 1/1", ReadyLimit, async () => (string?)(await Ned())["status"]?["ready"] == "1/1", Explain);

    /// <summary>The one pod that is not on its way out.</summary>
    public async Task<JsonNode> Pod()
    {
        var pods = await Kubectl.Get("pods", "-n", Namespace, "-l", $"k8s.oblv.com/deployment={Name}");
        return pods["items"]!.AsArray().Single(pod => pod!["metadata"]!["deletionTimestamp"] is null)!;
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

    /// <summary>EnclaveHost's /status of the pod.</summary>
    public async Task<JsonNode> Status()
    {
        var pod = await Pod();
        return (await Http.GetFromJsonAsync<JsonNode>(new Uri($"http://{pod["status"]!["podIP"]}:8080/status")))!;
    }

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

    public async ValueTask DisposeAsync() =>
        await Kubectl.Run("delete", "namespace", Namespace, "--wait=true", "--timeout=300s");
}
