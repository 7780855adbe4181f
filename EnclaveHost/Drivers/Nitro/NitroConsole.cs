using Enclaves.Channel;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>
/// The console of an enclave in debug mode, as a child's output for as long as there is an enclave. The hypervisor has one reader at a time: one
/// that ended too early is started again, ever later and not for ever.
/// </summary>
internal sealed partial class NitroConsole : IAsyncDisposable
{
    private const int MaxFailures = 10;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Lasting = TimeSpan.FromMinutes(1);

    private readonly NitroCli _cli;
    private readonly string _id;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConsoleLog _lines;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _following;

    public NitroConsole(NitroCli cli, string id, Action<string> onLine, TimeProvider time, ILogger logger)
    {
        (_cli, _id, _time, _logger) = (cli, id, time, logger);
        _lines = new ConsoleLog(onLine);
        _following = FollowAsync(_ending.Token);
    }

    /// <summary>The last lines, to be put behind a sentence; empty where there were none.</summary>
    public string LastWords() => _lines.Excerpt(5) is { Length: > 0 } last ? $"; its last lines: {last}" : "";

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _following;
        _ending.Dispose();
    }

    private async Task FollowAsync(CancellationToken ending)
    {
        try
        {
            var (failures, wait) = (0, FirstWait);
            while (failures < MaxFailures)
            {
                var began = _time.GetTimestamp();
                await using (var child = await _cli.FollowConsoleAsync(_id, _lines))
                    await child.Exited.WaitAsync(ending);
                if (_time.GetElapsedTime(began) > Lasting)
                    (failures, wait) = (0, FirstWait);
                failures++;
                await Task.Delay(wait, _time, ending);
                wait = wait.Doubled(LongestWait);
            }

            LogGivenUp(_id, MaxFailures);
        }
        catch (OperationCanceledException)
        {
            // The enclave is gone.
        }
        catch (EnclaveStartException e)
        {
            LogNotStarted(_id, e.Message);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning,
        Message = "the console of enclave {Id} ended {Times} times in a row and is not followed any more; its last lines say why")]
    private partial void LogGivenUp(string id, int times);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "the console of enclave {Id} is not followed: {Reason}")]
    private partial void LogNotStarted(string id, string reason);
}
