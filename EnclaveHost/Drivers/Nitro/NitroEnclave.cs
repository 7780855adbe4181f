namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>
/// A Nitro Enclave that has booted. There is no child to wait for: its process is looked at each second, which costs a read of /proc, and
/// nitro-cli is asked when that has ended, and now and then.
/// </summary>
internal sealed partial class NitroEnclave : IRunningEnclave
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(15);

    // Where its process cannot be seen there is only nitro-cli.
    private static readonly TimeSpan BlindAskInterval = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan EndTime = TimeSpan.FromSeconds(15);
    private const int FailuresBetweenWarnings = 20;

    private readonly NitroCli _cli;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly EnclaveProcess? _process;
    private readonly NitroConsole? _console;
    private readonly CancellationTokenSource _watching = new();
    private readonly TaskCompletionSource<string> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _watch;

    public NitroEnclave(NitroCli cli, EnclaveDescription description, Action<string>? onConsole, TimeProvider time, ILogger logger)
    {
        (_cli, Description, _time, _logger) = (cli, description, time, logger);
        _process = EnclaveProcess.Find(description.ProcessIds[0]);
        _console = onConsole is null ? null : new NitroConsole(cli, description.Id, onConsole, time, logger);
        _watch = WatchAsync(_watching.Token);
    }

    public EnclaveDescription Description { get; }

    public Task<string> Exited => _exited.Task;

    // Nothing that it could be asked: the containers were stopped by the session, and an enclave that has done so ends by itself.
    public async Task StopAsync(TimeSpan grace)
    {
        if (!Exited.IsCompleted)
            await EndAsync(grace);
    }

    public async ValueTask DisposeAsync()
    {
        if (!Exited.IsCompleted)
            await EndAsync(EndTime);
        await _watching.CancelAsync();
        await _watch;
        if (_console is not null)
            await _console.DisposeAsync();
        _watching.Dispose();
    }

    private async Task EndAsync(TimeSpan limit)
    {
        // What the watch would see from here on is our own doing.
        await _watching.CancelAsync();
        await _watch;
        if (Exited.IsCompleted)
            return;
        try
        {
            await EnclaveEnd.BringAboutAsync(_cli, Description.Id, _process, limit, _time, CancellationToken.None);
        }
        catch (Exception e) when (e is NitroException or EnclaveStartException)
        {
            // The next boot finds it and tries again.
            LogNotEnded(Description.Id, e.Message);
        }

        _exited.TrySetResult($"enclave {Description.Id} was ended");
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            var asked = _time.GetTimestamp();
            var failures = 0;
            while (true)
            {
                await Task.Delay(LookInterval, _time, cancellation);
                var isGone = _process is { IsAlive: false };
                if (!isGone && _time.GetElapsedTime(asked) < (_process is null ? BlindAskInterval : AskInterval))
                    continue;
                asked = _time.GetTimestamp();
                var (end, problem) = await AskAsync(isGone, cancellation);
                if (end is not null)
                {
                    _exited.TrySetResult(end + (_console?.LastWords() ?? ""));
                    return;
                }

                failures = problem is null ? 0 : failures + 1;
                // Whether the enclave is well is the session's to find out.
                if (problem is not null && failures % FailuresBetweenWarnings == 1)
                    LogUnanswered(Description.Id, problem);
            }
        }
        catch (OperationCanceledException)
        {
            // Whoever ends the enclave says how it ended.
        }
    }

    // How it ended, or null; and why that could not be found out, or null.
    private async Task<(string? End, string? Problem)> AskAsync(bool isGone, CancellationToken cancellation)
    {
        try
        {
            var state = (await _cli.DescribeAsync(cancellation)).FirstOrDefault(enclave => enclave.Id == Description.Id)?.State;
            return state == "RUNNING" && !isGone ? (null, null) : (HowItEnded(state), null);
        }
        catch (Exception e) when (e is NitroException or EnclaveStartException)
        {
            return isGone ? ($"{HowItEnded(null)}; {e.Message}", null) : (null, e.Message);
        }
    }

    private string HowItEnded(string? state) => state is null or "RUNNING"
        ? $"enclave {Description.Id} (CID {Description.Cid}) ended by itself"
        : $"enclave {Description.Id} (CID {Description.Cid}) ended by itself: nitro-cli says that it is {state}";

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "nitro-cli does not say how enclave {Id} is, whose process lives: {Reason}")]
    private partial void LogUnanswered(string id, string reason);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "enclave {Id} was to end: {Reason}")]
    private partial void LogNotEnded(string id, string reason);
}
