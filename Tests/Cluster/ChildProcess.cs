using System.Collections.Concurrent;
using System.Diagnostics;
using Enclaves.Tests.Enclave.Harness;

namespace Enclaves.Tests.Cluster;

/// <summary>A program of ours that runs beside the tests. Whatever happens, it does not outlive them.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>Ports for the programs to listen on; those below are the enclave suite's, which may run at the same time.</summary>
    public static readonly FreePorts Ports = new(24200, 27999);

    private static readonly ConcurrentDictionary<ChildProcess, bool> Running = new();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly Process _process;

    static ChildProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var child in Running.Keys)
            child.Kill();
    };

    private ChildProcess(Process process) => _process = process;

    /// <summary>Whether it has ended, by itself or not.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Everything it has written so far.</summary>
    public string Log => string.Join('\n', _log);

    /// <summary>Starts a part of the repository, such as Reconciler, as it was built together with the tests.</summary>
    public static ChildProcess Start(string part, params string[] arguments) => Start(part, new Dictionary<string, string>(), arguments);

    /// <summary>The same with variables of the environment.</summary>
    public static ChildProcess Start(string part, IReadOnlyDictionary<string, string> environment, string[] arguments)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var configuration = output.Parent!.Name;
        var repository = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        var program = Path.Combine(repository, part, "bin", configuration, output.Name, $"Enclaves.{part}");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // A proxy of the environment does not lead to the development cluster.
        start.Environment["NO_PROXY"] = "*";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = new Process { StartInfo = start };
        var child = new ChildProcess(process);
        process.OutputDataReceived += (_, line) => child.Keep(line.Data);
        process.ErrorDataReceived += (_, line) => child.Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Running[child] = true;
        return child;
    }

    /// <summary>Whether /readyz on this port answers 200.</summary>
    /// <exception cref="InvalidOperationException">The process has ended.</exception>
    public async Task<bool> IsReady(int port)
    {
        if (_process.HasExited)
            throw new InvalidOperationException($"{_process.StartInfo.FileName} ended with {_process.ExitCode}:\n{Log}");
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(2) };
        using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/readyz"));
        return response.IsSuccessStatusCode;
    }

    /// <summary>Ends it at once, as a crash or an out-of-memory killer would (SIGKILL).</summary>
    public void Kill()
    {
        if (Running.TryRemove(this, out _) && !_process.HasExited)
            _process.Kill(entireProcessTree: true);
    }

    /// <summary>Sends a signal by its name, such as TERM.</summary>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
            _log.Enqueue(line);
    }
}
