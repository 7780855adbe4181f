using System.Net;
using System.Net.Sockets;
using Enclaves.Orchestrator.Containers;

namespace Enclaves.Orchestrator.Health;

/// <summary>
/// Looks whether running containers accept connections on their exposed ports: twice a second until they do, then every 5 s. Three looks in
/// a row that find nobody make one not ready, as a kubelet's default is: a single one may only have been late. Containers without exposed
/// ports are ready as long as they run.
/// </summary>
internal sealed class ReadinessProber(IReadOnlyList<ContainerWorker> workers, TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ReadyPeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(1);

    private const int FailureThreshold = 3;

    private readonly DateTimeOffset[] _next = new DateTimeOffset[workers.Count];
    private readonly int[] _misses = new int[workers.Count];

    public async Task RunAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(cancellation))
            await Task.WhenAll(Enumerable.Range(0, workers.Count).Select(i => LookAsync(i, cancellation)));
    }

    private async Task LookAsync(int index, CancellationToken cancellation)
    {
        var view = workers[index].View;
        var ports = view.Spec.Ports.Where(port => port.IngressPort is not null).Select(port => port.ContainerPort).ToArray();
        if (view.Phase != ContainerPhase.Running || ports.Length == 0 || (view.Ready && time.GetUtcNow() < _next[index]))
            return;
        var accepted = await Task.WhenAll(ports.Select(port => AcceptsAsync(port, cancellation)));
        if (Array.TrueForAll(accepted, accepts => accepts))
        {
            _misses[index] = 0;
            _next[index] = time.GetUtcNow() + ReadyPeriod;
            workers[index].SetReady(true);
        }
        else if (++_misses[index] >= FailureThreshold)
        {
            workers[index].SetReady(false);
        }
    }

    private static async Task<bool> AcceptsAsync(int port, CancellationToken cancellation)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(ConnectLimit);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), timed.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return false;
        }
    }
}
