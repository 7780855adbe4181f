using System.Collections.Concurrent;

namespace Enclaves.Tests.Cluster;

/// <summary>A Reconciler that is started again whenever it ends, as a kubelet does with a container, always through the same proxy.</summary>
internal sealed class Supervised : IAsyncDisposable
{
    private const int KeptRuns = 4;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly string _kubeconfig;
    private readonly string[] _arguments;
    private readonly ConcurrentQueue<ChildProcess> _runs = new();
    private readonly CancellationTokenSource _end = new();
    private Task _supervising = Task.CompletedTask;
    private volatile ChildProcess? _killed;
    private int _endedByItself;

    private Supervised(ApiProxy proxy, string kubeconfig, string[] arguments) => (Proxy, _kubeconfig, _arguments) = (proxy, kubeconfig, arguments);

    public ApiProxy Proxy { get; }

    /// <summary>What the last runs have written, one after another.</summary>
    public string Log => string.Join("\n--- started again ---\n", _runs.Select(run => run.Log));

    public static async Task<Supervised> Start(string space, params string[] arguments)
    {
        var proxy = await ApiProxy.Start();
        var supervised = new Supervised(proxy, await proxy.WriteKubeconfig(), ["--namespace", space, .. arguments]);
        supervised._supervising = supervised.Supervise();
        return supervised;
    }

    /// <summary>SIGKILL of the present run.</summary>
    public void Kill()
    {
        _killed = _runs.Last();
        _killed.Kill();
    }

    /// <summary>How many runs have ended without having been killed.</summary>
    public int EndedByItself => Volatile.Read(ref _endedByItself);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _supervising;
        foreach (var run in _runs)
            await run.DisposeAsync();
        await Proxy.DisposeAsync();
        File.Delete(_kubeconfig);
        _end.Dispose();
    }

    private async Task Supervise()
    {
        while (!_end.IsCancellationRequested)
        {
            var run = ChildProcess.Start("Reconciler", [.. ReconcilerArguments.Jobs(_arguments), .. _arguments, "--kubeconfig", _kubeconfig, "--port", $"{ChildProcess.Ports.Next()}"]);
            _runs.Enqueue(run);
            if (_runs.Count > KeptRuns && _runs.TryDequeue(out var oldest))
                await oldest.DisposeAsync();
            try
            {
                while (!run.HasEnded)
                    await Task.Delay(Pause, _end.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (run != _killed)
                Interlocked.Increment(ref _endedByItself);
        }
    }
}
