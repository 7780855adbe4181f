using System.ComponentModel;
using System.Diagnostics;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>
/// A child that dies with this process, also when this process is killed with SIGKILL: <c>setpriv --pdeathsig KILL</c> arms
/// PR_SET_PDEATHSIG and then becomes the program, so the process id is the program's own.
/// </summary>
/// <remarks>
/// The kernel sends that signal when the <em>thread</em> that forked ends, not the process. So each child has a thread of its own,
/// which forks it and then waits for its end; a thread of the pool could be retired, and would take the child with it.
/// </remarks>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan KillTime = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource<Process> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConsoleLog _console;
    private readonly Func<Stream, Task> _followOutput;
    private Process? _process;
    private volatile bool _ended;

    private ChildProcess(string name, ConsoleLog console, Func<Stream, Task>? followOutput)
    {
        Name = name;
        _console = console;
        _followOutput = followOutput ?? console.FollowAsync;
    }

    /// <summary>What it is called in messages.</summary>
    public string Name { get; }

    /// <summary>Its process id.</summary>
    public int Id { get; private set; }

    /// <summary>Completes with the exit code (128 + signal when killed) after its output was read to the end.</summary>
    public Task<int> Exited => _exited.Task;

    /// <summary>Starts a program with its output on the console log.</summary>
    /// <param name="name">What it is called in messages.</param>
    /// <param name="program">A path, or a name on the PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="console">Takes both of its outputs.</param>
    /// <param name="followOutput">Reads standard output to its end instead.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <exception cref="EnclaveStartException">The program could not be executed.</exception>
    public static async Task<ChildProcess> StartAsync(
        string name, string program, IEnumerable<string> arguments, ConsoleLog console,
        Func<Stream, Task>? followOutput = null, params IEnumerable<(string Name, string Value)> environment)
    {
        var child = new ChildProcess(name, console, followOutput);
        var start = new ProcessStartInfo("setpriv")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])["--pdeathsig", "KILL", "--", program, .. arguments])
            start.ArgumentList.Add(argument);
        // For this program alone.
        start.Environment.Remove(EnclaveHost.Program.InlineCompletions);
        foreach (var (variable, value) in environment)
            start.Environment[variable] = value;
        new Thread(() => child.Hold(start)) { IsBackground = true, Name = name }.Start();
        try
        {
            child._process = await child._started.Task;
        }
        catch (Win32Exception e)
        {
            throw new EnclaveStartException($"cannot start {name}: setpriv cannot be executed: {e.Message}; install util-linux in the image", e);
        }

        return child;
    }

    /// <summary>One sentence on how it ended, with its last lines.</summary>
    public string Obituary(int exitCode)
    {
        var how = exitCode > 128 ? $"was killed by signal {exitCode - 128}" : $"exited with code {exitCode}";
        var last = _console.Excerpt(5);
        return last.Length == 0 ? $"{Name} {how} and wrote nothing" : $"{Name} {how}; its last lines: {last}";
    }

    /// <summary>SIGTERM, then SIGKILL when the grace is over.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        Signal(ProcessSignal.Terminate);
        await Task.WhenAny(Exited, Task.Delay(grace));
        await DisposeAsync();
    }

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        _process.Kill();
        // A killed process is gone at once unless the kernel is stuck in it; then waiting on does not help.
        await Task.WhenAny(Exited, Task.Delay(KillTime));
    }

    private void Signal(int signal)
    {
        if (!_ended && ProcessSignal.Send(Id, signal) is not (0 or ProcessSignal.NoSuchProcess) and var error)
            throw new InvalidOperationException($"cannot signal {Name} (process {Id}): error {error}");
    }

    private void Hold(ProcessStartInfo start)
    {
        try
        {
            // Not disposed here: who stops it may still hold it, and the garbage collector frees what is left of it.
            var process = Process.Start(start) ?? throw new Win32Exception("no process");
            Id = process.Id;
            process.StandardInput.Close();
            var output = Task.WhenAll(
                _followOutput(process.StandardOutput.BaseStream), _console.FollowAsync(process.StandardError.BaseStream));
            _started.SetResult(process);
            process.WaitForExit();
            _ended = true;
            // A grandchild may hold the pipes open; its lines are of no interest here.
            output.Wait(TimeSpan.FromSeconds(1));
            _exited.SetResult(process.ExitCode);
        }
        catch (Win32Exception e)
        {
            _started.TrySetException(e);
            _exited.TrySetResult(127);
        }
    }
}
