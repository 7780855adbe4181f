namespace Enclaves.Tests.Cluster;

/// <summary>A Reconciler that works in one namespace, through a proxy that counts what it writes.</summary>
internal sealed class ReconcilerProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly string _kubeconfig;

    private ReconcilerProcess(ChildProcess process, ApiProxy proxy, string kubeconfig, int port) =>
        (_process, Proxy, _kubeconfig, Port) = (process, proxy, kubeconfig, port);

    public ApiProxy Proxy { get; }

    /// <summary>Where it answers about itself.</summary>
    public int Port { get; }

    public string Log => _process.Log;

    public static Task<ReconcilerProcess> Start(string space, params string[] arguments) => Start(space, _ => { }, arguments);

    /// <summary>Starts it behind a proxy that is prepared first.</summary>
    public static Task<ReconcilerProcess> Start(string space, Action<ApiProxy> prepare, params string[] arguments) =>
        Start(space, prepare, new Dictionary<string, string>(), arguments);

    /// <summary>The same with variables of the environment.</summary>
    public static async Task<ReconcilerProcess> Start(
        string space, Action<ApiProxy> prepare, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var proxy = await ApiProxy.Start();
        prepare(proxy);
        var kubeconfig = await proxy.WriteKubeconfig();
        var port = ChildProcess.Ports.Next();
        var process = ChildProcess.Start("Reconciler", environment, ["--namespace", space, "--kubeconfig", kubeconfig, "--port", $"{port}", .. ReconcilerArguments.Jobs(arguments), .. arguments]);
        var reconciler = new ReconcilerProcess(process, proxy, kubeconfig, port);
        try
        {
            await process.Ready(port);
            return reconciler;
        }
        catch
        {
            await reconciler.DisposeAsync();
            throw;
        }
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Sends a signal by its name, such as TERM.</summary>
    public void Signal(string name) => _process.Signal(name);

    /// <summary>Completes when it has ended.</summary>
    public Task Ended() => _process.Ended();

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await Proxy.DisposeAsync();
        File.Delete(_kubeconfig);
    }
}
