using System.Collections.Concurrent;
using System.Globalization;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Init;
using Enclaves.Orchestrator.Logs;
using Enclaves.Orchestrator.Processes;

namespace Enclaves.Orchestrator.Containers.Local;

/// <summary>
/// Runs each container's command as a process of this machine, without isolation and without an image: the embedded default of
/// demonstrations and fast tests. A process ends with the Orchestrator, however that ends.
/// </summary>
/// <param name="children">Starts the processes.</param>
/// <param name="logs">Takes their output.</param>
/// <param name="hostsFile">
/// The table of host names that egress serves, given to the processes as ENCLAVES_HOSTS_FILE: /etc/hosts belongs to the whole machine. Nor
/// can they have mounts of their own: ENCLAVES_MOUNTS says in lines of PATH=FOLDER where what a container would see is.
/// </param>
/// <param name="time">The clock.</param>
/// <param name="logger">The Orchestrator's log.</param>
internal sealed partial class ProcessRuntime(
    Children children, LogBuffer logs, string hostsFile, TimeProvider time, ILogger<ProcessRuntime> logger) : IContainerRuntime
{
    private readonly ILogger<ProcessRuntime> _logger = logger;
    private static readonly string[] Inherited = ["PATH", "HOME", "LANG", "TMPDIR"];
    private static readonly TimeSpan LastLinesLimit = TimeSpan.FromSeconds(2);

    private readonly SpawnThread _spawner = new();
    private readonly ConcurrentDictionary<string, Running> _running = new(StringComparer.Ordinal);

    public void Begin()
    {
        // A process needs nothing but its program.
    }

    public Task PrepareAsync(EnclaveManifest manifest, CancellationToken cancellation) => Task.CompletedTask;

    public Task<string> PullAsync(string image, RegistryLogin? login, CancellationToken cancellation) => Task.FromResult("");

    public async Task<string> StartAsync(ContainerStart start, uint attempt, CancellationToken cancellation)
    {
        var container = start.Container;
        if (container.Command.Count == 0)
            throw new ContainerRuntimeException(
                "CreateContainerError", $"container {container.Name} has no command, and the process runtime has no image to take one from");
        if (attempt == 0 && container is { Resources: not null } or { Security: not null })
            LogNotConfined(container.Name);
        var environment = VariablesOf(start);
        try
        {
            var program = Spawn.Find(container.Command[0], environment.GetValueOrDefault("PATH"));
            var output = new ChildOutput();
            var child = await _spawner.RunAsync(() => Launch(program, container.Command.Skip(1).Concat(container.Args), environment, output));
            var (outLines, errorLines) = (logs.Source(container.Name, "stdout"), logs.Source(container.Name, "stderr"));
            var read = output.ReadAsync(
                (line, partial) => logs.Append(outLines, line, partial, time.GetUtcNow()),
                (line, partial) => logs.Append(errorLines, line, partial, time.GetUtcNow()));
            var id = string.Create(CultureInfo.InvariantCulture, $"{container.Name}-{attempt}-{child.Id}");
            _running[id] = new Running(child, read, time.GetUtcNow(), environment);
            return id;
        }
        catch (IOException e)
        {
            throw new ContainerRuntimeException("RunContainerError", $"container {container.Name}: {e.Message}", e);
        }
    }

    public async Task<ContainerExit> WaitAsync(string id, CancellationToken cancellation)
    {
        var running = _running[id];
        var code = await running.Child.Exit.WaitAsync(cancellation);
        return new ContainerExit(code, code == 0 ? "Completed" : "Error", running.Started, time.GetUtcNow());
    }

    public async Task<ExecResult> ExecAsync(string id, IReadOnlyList<string> command, TimeSpan timeout, CancellationToken cancellation)
    {
        if (!_running.TryGetValue(id, out var running))
            throw new ContainerRuntimeException("ExecError", $"{command[0]} could not be run: the container has ended");
        var text = new BoundedText(ExecOutput.MaxBytes);
        Child child;
        Task read;
        try
        {
            var program = Spawn.Find(command[0], running.Environment.GetValueOrDefault("PATH"));
            var output = new ChildOutput();
            child = await _spawner.RunAsync(() => Launch(program, command.Skip(1), running.Environment, output));
            read = output.ReadAsync(text.Add, text.Add);
        }
        catch (IOException e)
        {
            throw new ContainerRuntimeException("ExecError", e.Message, e);
        }

        try
        {
            var code = await child.Exit.WaitAsync(timeout, time, cancellation);
            await Task.WhenAny(read, Task.Delay(LastLinesLimit, time, cancellation));
            return new ExecResult(code, text.ToString());
        }
        finally
        {
            // What it started must not outlive it either.
            child.Signal(Libc.Sigkill);
        }
    }

    public async Task<ContainerExit> StopAsync(string id, TimeSpan grace, CancellationToken cancellation)
    {
        var running = _running[id];
        running.Child.Signal(Libc.Sigterm);
        try
        {
            await running.Child.Exit.WaitAsync(grace, time, cancellation);
        }
        catch (TimeoutException)
        {
            running.Child.Signal(Libc.Sigkill);
        }

        var exit = await WaitAsync(id, cancellation);
        // Its last lines, unless something that it started holds the pipe open.
        await Task.WhenAny(running.Output, Task.Delay(LastLinesLimit, time, cancellation));
        return exit;
    }

    public Task RemoveAsync(string id, CancellationToken cancellation)
    {
        _running.TryRemove(id, out _);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        children.KillAll();
        return ValueTask.CompletedTask;
    }

    private Child Launch(string program, IEnumerable<string> arguments, Dictionary<string, string> environment, ChildOutput output)
    {
        try
        {
            return children.Start(
                Environment.ProcessPath!,
                ChildLauncher.Arguments(program, arguments),
                [.. environment.Select(pair => $"{pair.Key}={pair.Value}")],
                output.Handles);
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    private Dictionary<string, string> VariablesOf(ContainerStart start)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["ENCLAVES_HOSTS_FILE"] = hostsFile };
        foreach (var name in Inherited)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
                variables[name] = value;
        }

        if (start.Mounts.Count > 0)
            variables["ENCLAVES_MOUNTS"] = string.Join('\n', start.Mounts.Select(mount => $"{mount.Target}={mount.Source}"));
        foreach (var (name, value) in start.Variables)
            variables[name] = value;
        return variables;
    }

    [LoggerMessage(1, LogLevel.Warning, "container {Name}: its limits and its security context are not applied: it is a process of this machine, for development only")]
    private partial void LogNotConfined(string name);

    private sealed record Running(Child Child, Task Output, DateTimeOffset Started, Dictionary<string, string> Environment);
}
