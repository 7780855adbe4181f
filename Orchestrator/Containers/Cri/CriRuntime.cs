using System.Collections.Concurrent;
using Enclaves.Channel.Manifest;
using Enclaves.Channel;
using Enclaves.Orchestrator.Containers.Cri.V1;
using Enclaves.Orchestrator.Logs;
using Grpc.Core;

namespace Enclaves.Orchestrator.Containers.Cri;

/// <summary>
/// Runs containers through containerd's Container Runtime Interface, all of them in one sandbox that shares the enclave's network. The end
/// of a container is noticed by a look at the list every second.
/// </summary>
internal sealed partial class CriRuntime : IContainerRuntime
{
    private static readonly TimeSpan PrepareRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPrepareRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastLinesLimit = TimeSpan.FromSeconds(2);

    private readonly CriConnection _connection;
    private readonly ContainerdProcess? _containerd;
    private readonly LogBuffer _logs;
    private readonly Shutdown _shutdown;
    private readonly TimeProvider _time;
    private readonly ILogger<CriRuntime> _logger;
    private readonly CancellationTokenSource _disposed = new();
    private readonly ConcurrentDictionary<string, Followed> _followers = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<(string Id, string? Log)> _unremoved = new();
    private readonly ExitWatch _exits;
    private Task _background = Task.CompletedTask;
    private Task _begun = Task.CompletedTask;
    private PodSandboxConfig _sandboxConfig = new();
    private IReadOnlyList<string> _registries = [];
    private string _sandbox = "";

    /// <param name="connection">containerd's socket; owned from here on.</param>
    /// <param name="containerd">Keeps containerd running; null where somebody else does.</param>
    /// <param name="logs">Takes the containers' output.</param>
    /// <param name="shutdown">Ends the enclave when containerd cannot be run at all.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The Orchestrator's log.</param>
    public CriRuntime(
        CriConnection connection,
        ContainerdProcess? containerd,
        LogBuffer logs,
        Shutdown shutdown,
        TimeProvider time,
        ILogger<CriRuntime> logger)
    {
        _connection = connection;
        _containerd = containerd;
        _logs = logs;
        _shutdown = shutdown;
        _time = time;
        _logger = logger;
        _exits = new ExitWatch(connection, time, logger);
    }

    public void Begin()
    {
        Directory.CreateDirectory(ContainerSpec.LogDirectory);
        _background = Task.WhenAll(RunContainerdAsync(), _exits.RunAsync(_disposed.Token));
        _begun = BeginAsync(_disposed.Token);
    }

    public async Task PrepareAsync(EnclaveManifest manifest, CancellationToken cancellation)
    {
        await _begun.WaitAsync(cancellation);
        _sandboxConfig = ContainerSpec.Sandbox(manifest);
        _registries = manifest.Registries;
        await UntilReadyAsync(
            async () =>
            {
                var reply = await _connection.CallAsync(
                    _connection.Runtime.RunPodSandboxAsync, new RunPodSandboxRequest { Config = _sandboxConfig }, CriConnection.StartLimit, cancellation);
                _sandbox = reply.PodSandboxId;
                _exits.Sandbox = _sandbox;
            },
            cancellation);
    }

    public async Task<string> PullAsync(string image, RegistryLogin? login, CancellationToken cancellation)
    {
        var spec = new ImageSpec { Image = image };
        var request = new PullImageRequest { Image = spec, SandboxConfig = _sandboxConfig };
        if (login is not null)
            request.Auth = new AuthConfig { Username = login.Username, Password = login.Password };
        try
        {
            var pulled = await _connection.CallAsync(_connection.Images.PullImageAsync, request, CriConnection.PullLimit, cancellation);
            var status = await _connection.CallAsync(
                _connection.Images.ImageStatusAsync, new ImageStatusRequest { Image = spec }, CriConnection.CallLimit, cancellation);
            return status.Image?.RepoDigests.FirstOrDefault() ?? pulled.ImageRef;
        }
        catch (RpcException e)
        {
            throw new ContainerRuntimeException("ErrImagePull", $"image {image}: {PullProblem.Explain(e.Status.Detail, _registries)}", e);
        }
    }

    public async Task<string> StartAsync(ContainerStart start, uint attempt, CancellationToken cancellation)
    {
        var container = start.Container;
        for (var left = _unremoved.Count; left > 0 && _unremoved.TryDequeue(out var earlier); left--)
            await RemoveAsync(earlier.Id, earlier.Log, cancellation);
        var id = await CreateAsync(start, attempt, cancellation);
        try
        {
            await _connection.CallAsync(
                _connection.Runtime.StartContainerAsync, new StartContainerRequest { ContainerId = id }, CriConnection.StartLimit, cancellation);
        }
        catch (RpcException e)
        {
            await RemoveAsync(id, cancellation);
            throw new ContainerRuntimeException("RunContainerError", $"container {container.Name}: {e.Status.Detail}", e);
        }

        Follow(id, container.Name, attempt);
        return id;
    }

    public Task<ContainerExit> WaitAsync(string id, CancellationToken cancellation) => _exits.WaitAsync(id, cancellation);

    public async Task<ExecResult> ExecAsync(string id, IReadOnlyList<string> command, TimeSpan timeout, CancellationToken cancellation)
    {
        var request = new ExecSyncRequest { ContainerId = id, Cmd = { command }, Timeout = (long)Math.Ceiling(timeout.TotalSeconds) };
        try
        {
            var reply = await _connection.CallAsync(_connection.Runtime.ExecSyncAsync, request, timeout + CriConnection.CallLimit, cancellation);
            return new ExecResult(reply.ExitCode, ExecOutput.Text(reply.Stdout.Span, reply.Stderr.Span));
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.DeadlineExceeded)
        {
            throw new TimeoutException(e.Status.Detail, e);
        }
        catch (RpcException e)
        {
            throw new ContainerRuntimeException("ExecError", $"{command[0]} could not be run: {e.Status.Detail}", e);
        }
    }

    public async Task<ContainerExit> StopAsync(string id, TimeSpan grace, CancellationToken cancellation)
    {
        var seconds = (long)Math.Ceiling(grace.TotalSeconds);
        var request = new StopContainerRequest { ContainerId = id, Timeout = Math.Max(0, seconds) };
        try
        {
            await _connection.CallAsync(_connection.Runtime.StopContainerAsync, request, grace + CriConnection.CallLimit, cancellation);
            return await _exits.ReadExitAsync(id, cancellation);
        }
        catch (RpcException e)
        {
            throw new ContainerRuntimeException("StopContainerError", e.Status.Detail, e);
        }
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        if (_followers.TryRemove(id, out var follower))
        {
            // The last lines first: removing the container removes its log.
            await follower.Ended.CancelAsync();
            if (await Task.WhenAny(follower.Task, Task.Delay(LastLinesLimit, _time, cancellation)) != follower.Task)
                LogStillFollowed(id);
        }

        await RemoveAsync(id, follower?.Path, cancellation);
    }

    private async Task RemoveAsync(string id, string? log, CancellationToken cancellation)
    {
        try
        {
            await _connection.CallAsync(
                _connection.Runtime.RemoveContainerAsync, new RemoveContainerRequest { ContainerId = id }, CriConnection.CallLimit, cancellation);
            if (log is not null)
                File.Delete(log);
        }
        catch (RpcException e)
        {
            // It may even run, and would keep its port from the next one: the next start begins with another try.
            _unremoved.Enqueue((id, log));
            LogNotRemoved(id, e.Status.Detail);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync();
        try
        {
            await _background;
        }
        catch (OperationCanceledException)
        {
            // The end that was asked for.
        }

        _connection.Dispose();
        _disposed.Dispose();
    }

    private async Task RunContainerdAsync()
    {
        try
        {
            if (_containerd is not null)
                await _containerd.RunAsync(_disposed.Token);
        }
        catch (IOException e)
        {
            _shutdown.Fail($"containerd cannot be run: {e.Message}");
        }
    }

    private async Task BeginAsync(CancellationToken cancellation)
    {
        while (!_connection.IsServed)
            await Task.Delay(PrepareRetry, _time, cancellation);
        await UntilReadyAsync(
            async () =>
            {
                await _connection.CallAsync(_connection.Runtime.VersionAsync, new VersionRequest(), CriConnection.CallLimit, cancellation);
                await PauseImage.ImportAsync(_connection, cancellation);
            },
            cancellation);
    }

    // containerd needs a moment to serve, and another one to see an image that was just imported.
    private async Task UntilReadyAsync(Func<Task> action, CancellationToken cancellation)
    {
        for (var wait = PrepareRetry; ; wait = wait.Doubled(LongestPrepareRetry))
        {
            try
            {
                await action();
                return;
            }
            catch (RpcException) when (cancellation.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancellation);
            }
            catch (RpcException e)
            {
                LogNotReady(e.Status.Detail);
                await Task.Delay(wait, _time, cancellation);
            }
        }
    }

    private async Task<string> CreateAsync(ContainerStart start, uint attempt, CancellationToken cancellation)
    {
        try
        {
            var request = new CreateContainerRequest
            {
                PodSandboxId = _sandbox,
                Config = ContainerSpec.Container(start, await ImageUserAsync(start.Container, cancellation), attempt),
                SandboxConfig = _sandboxConfig,
            };
            return (await _connection.CallAsync(_connection.Runtime.CreateContainerAsync, request, CriConnection.StartLimit, cancellation)).ContainerId;
        }
        catch (RpcException e)
        {
            throw new ContainerRuntimeException("CreateContainerError", $"container {start.Container.Name}: {e.Status.Detail}", e);
        }
    }

    private async Task<ImageUser?> ImageUserAsync(ManifestContainer container, CancellationToken cancellation)
    {
        if (container.Security is not { RunAsUser: null, RunAsGroup: not null })
            return null;
        var request = new ImageStatusRequest { Image = new ImageSpec { Image = container.Image } };
        var image = (await _connection.CallAsync(_connection.Images.ImageStatusAsync, request, CriConnection.CallLimit, cancellation)).Image;
        return new ImageUser(image?.Uid?.Value, image?.Username ?? "");
    }

    private void Follow(string id, string name, uint attempt)
    {
        var path = Path.Combine(ContainerSpec.LogDirectory, ContainerSpec.LogPath(name, attempt));
        var ended = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
        var follower = new CriLogFollower(path, name, _logs, cancellation => ReopenAsync(id, cancellation), _time);
        _followers[id] = new Followed(path, ended, FollowAsync(follower, name, ended.Token));
    }

    private async Task FollowAsync(CriLogFollower follower, string name, CancellationToken ended)
    {
        try
        {
            await follower.RunAsync(ended);
        }
        catch (IOException e)
        {
            LogNotFollowed(name, e.Message);
        }
    }

    private async Task ReopenAsync(string id, CancellationToken cancellation) =>
        await _connection.CallAsync(
            _connection.Runtime.ReopenContainerLogAsync, new ReopenContainerLogRequest { ContainerId = id }, CriConnection.CallLimit, cancellation);

    [LoggerMessage(1, LogLevel.Information, "container runtime is not ready yet: {Reason}")]
    private partial void LogNotReady(string reason);

    [LoggerMessage(2, LogLevel.Warning, "container {Id} could not be removed: {Reason}")]
    private partial void LogNotRemoved(string id, string reason);

    [LoggerMessage(3, LogLevel.Error, "the log of container {Name} cannot be followed any more: {Reason}")]
    private partial void LogNotFollowed(string name, string reason);

    [LoggerMessage(4, LogLevel.Warning, "the log of container {Id} is longer than what could be read in time; its end may come late")]
    private partial void LogStillFollowed(string id);

    private sealed record Followed(string Path, CancellationTokenSource Ended, Task Task);
}
