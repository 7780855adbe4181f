using System.Threading.Channels;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

/// <summary>A runtime whose containers end when the test says so.</summary>
internal sealed class ScriptedRuntime : IContainerRuntime
{
    private readonly Channel<uint> _starts = System.Threading.Channels.Channel.CreateUnbounded<uint>();
    private volatile TaskCompletionSource<ContainerExit> _exit = new();

    public volatile int StartErrors;

    public string? PullError { get; set; }

    public RegistryLogin? Login { get; private set; }

    public int Starts { get; private set; }

    public TimeSpan StopGrace { get; private set; }

    /// <summary>Answers commands in the container; none has one.</summary>
    public Func<ExecResult> Exec { get; set; } = () => throw new ContainerRuntimeException("ExecError", "no such command");

    public ContainerStart? Last { get; private set; }

    public int Stops { get; private set; }

    /// <summary>What a container that is told to end ends with.</summary>
    public int StopCode { get; set; } = 143;

    public async Task NextStartAsync() =>
        await _starts.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    public void End(int code)
    {
        var now = DateTimeOffset.UnixEpoch;
        _exit.SetResult(new ContainerExit(code, code == 0 ? "Completed" : "Error", now, now));
    }

    public void Begin()
    {
    }

    public Task PrepareAsync(EnclaveManifest manifest, CancellationToken cancellation) => Task.CompletedTask;

    public Task<string> PullAsync(string image, RegistryLogin? login, CancellationToken cancellation)
    {
        Login = login;
        return PullError is null ? Task.FromResult("sha256:1") : throw new ContainerRuntimeException("ErrImagePull", PullError);
    }

    public Task<string> StartAsync(ContainerStart start, uint attempt, CancellationToken cancellation)
    {
        if (StartErrors > 0)
        {
            StartErrors--;
            throw new ContainerRuntimeException("CreateContainerError", "no such command");
        }

        Starts++;
        Last = start;
        _exit = new TaskCompletionSource<ContainerExit>(TaskCreationOptions.RunContinuationsAsynchronously);
        _starts.Writer.TryWrite(attempt);
        return Task.FromResult($"{start.Container.Name}-{attempt}");
    }

    public Task<ContainerExit> WaitAsync(string id, CancellationToken cancellation) => _exit.Task.WaitAsync(cancellation);

    public Task<ExecResult> ExecAsync(string id, IReadOnlyList<string> command, TimeSpan timeout, CancellationToken cancellation) => Task.FromResult(Exec());

    public Task<ContainerExit> StopAsync(string id, TimeSpan grace, CancellationToken cancellation)
    {
        StopGrace = grace;
        Stops++;
        End(StopCode);
        return _exit.Task;
    }

    public Task RemoveAsync(string id, CancellationToken cancellation) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
