using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Enclaves.Tests.Benchmarks.Reconcile;

/// <summary>
/// A program that runs beside the benchmark, with its output in a file. It ends with the benchmark however that ends: a shell between the
/// two kills it when the pipe from here closes, which the kernel does for a process that was killed.
/// </summary>
internal sealed class Daemon : IAsyncDisposable
{
    private const string Keeper = """
        exec 3<&0
        log=$1; shift
        "$@" </dev/null >"$log" 2>&1 3<&- &
        child=$!
        echo $child
        exec 2>/dev/null
        { read -r closed <&3; kill -KILL $child; } &
        watcher=$!
        wait $child; code=$?
        kill $watcher
        exit $code
        """;

    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);
    private readonly Process _keeper;
    private readonly string _name;
    private readonly string _log;

    private Daemon(Process keeper, string name, string log, int id) => (_keeper, _name, _log, Id) = (keeper, name, log, id);

    /// <summary>Its process id.</summary>
    public int Id { get; }

    /// <summary>Starts a program; its log is NAME.log in the folder.</summary>
    public static async Task<Daemon> Start(string folder, string name, string program, params IEnumerable<string> arguments)
    {
        var log = Path.Combine(folder, $"{name}.log");
        var start = new ProcessStartInfo("/bin/sh", ["-c", Keeper, "sh", log, program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        // A proxy of the environment does not lead to the loopback.
        start.Environment["NO_PROXY"] = "*";
        var keeper = Process.Start(start)!;
        var id = int.Parse((await keeper.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        return new Daemon(keeper, name, log, id);
    }

    /// <summary>A port of the loopback that nobody listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Repeats a look until it holds; fails when the program ends before.</summary>
    public Task Until(string what, Func<Task<bool>> look, CancellationToken cancellation) => Until(what, look, BetweenLooks, cancellation);

    /// <summary>The same with another pause between two looks.</summary>
    public async Task Until(string what, Func<Task<bool>> look, TimeSpan pause, CancellationToken cancellation)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await look())
                    return;
            }
            catch (HttpRequestException) when (waited.Elapsed < ReadyTimeout)
            {
                // Not listening yet.
            }

            if (_keeper.HasExited || waited.Elapsed > ReadyTimeout)
                throw new InvalidOperationException($"{_name}: not {what} within {waited.Elapsed.TotalSeconds:F0} s; the end of its log:\n{End()}");
            await Task.Delay(pause, cancellation);
        }
    }

    /// <summary>Memory that it holds at this moment, in KiB.</summary>
    public long ResidentKib() => ProcessFacts.ResidentKib(Id);

    /// <summary>The most that it has held.</summary>
    public long PeakKib() => ProcessFacts.PeakKib(Id);

    /// <summary>CPU time that it has used so far.</summary>
    public TimeSpan CpuTime()
    {
        using var process = Process.GetProcessById(Id);
        return process.TotalProcessorTime;
    }

    /// <summary>Sends a signal by its name, such as TERM.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{Id}"]);
        kill.WaitForExit();
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <exception cref="InvalidOperationException">It has not within 30 s.</exception>
    public async Task Ended(CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(StopTimeout);
        try
        {
            await _keeper.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException($"{_name}: not ended within {StopTimeout.TotalSeconds:F0} s; the end of its log:\n{End()}");
        }
    }

    /// <summary>Ends it at once, and waits for its end.</summary>
    public async ValueTask DisposeAsync()
    {
        _keeper.StandardInput.Close();
        using var timeout = new CancellationTokenSource(StopTimeout);
        await _keeper.WaitForExitAsync(timeout.Token);
        _keeper.Dispose();
    }

    private string End() => string.Join('\n', File.ReadLines(_log).TakeLast(10));
}
