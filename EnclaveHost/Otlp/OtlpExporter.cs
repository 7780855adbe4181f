using Enclaves.Channel.Logs;
using Enclaves.Channel;
using Enclaves.EnclaveHost.Otlp.V1;

namespace Enclaves.EnclaveHost.Otlp;

/// <summary>
/// Hands the lines of the pod's log to an OpenTelemetry collector, in batches and in order. A collector that is slow, away or refuses costs
/// lines that are counted and marked, and nobody waits for it. Each outage is one line in the pod's log, and so is its end.
/// </summary>
internal sealed partial class OtlpExporter : IAsyncDisposable
{
    private const int QueueBytes = 4 * 1024 * 1024;
    private const int BatchLines = 512;
    private const int BatchBytes = 512 * 1024;

    // More lines come together in a batch, and nobody reads them sooner in a backend.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SendTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(2);

    private readonly OtlpQueue _queue = new(QueueBytes);
    private readonly IOtlpSender _sender;
    private readonly OtlpHeaders _headers;
    private readonly OtlpRecords _records;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _exporting;
    private long _sent;
    private string _problem = "";

    /// <summary>Starts exporting.</summary>
    public OtlpExporter(IOtlpSender sender, OtlpHeaders headers, OtlpRecords records, TimeProvider time, ILogger<OtlpExporter> logger)
    {
        _sender = sender;
        _headers = headers;
        _records = records;
        _time = time;
        _logger = logger;
        _exporting = Task.Run(ExportAsync);
    }

    /// <summary>Lines that the collector has taken.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Lines that it has not, and that are gone.</summary>
    public long Dropped => _queue.Dropped;

    /// <summary>What is wrong with the collector at the moment; empty while it takes what it is given.</summary>
    public string Problem => Volatile.Read(ref _problem);

    /// <summary>Adds a line; never waits.</summary>
    // A copy: what it came in is much larger, and gone soon.
    public void Add(LogLine line) => _queue.Add(line with { Text = line.Text.ToArray() });

    /// <summary>Hands over what waits, for at most two seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _exporting;
        using var limit = new CancellationTokenSource(FlushTime, _time);
        while (Problem.Length == 0 && _queue.Take(BatchLines, BatchBytes) is { Lines.Count: > 0 } batch && !limit.IsCancellationRequested)
            await TryAsync(_records.Request(batch.Lines, batch.DroppedBefore, _time.GetUtcNow()), batch.Lines.Count, batch.DroppedBefore, limit.Token);
        _sender.Dispose();
        _stop.Dispose();
    }

    private async Task ExportAsync()
    {
        try
        {
            while (true)
            {
                await _queue.WaitAsync(_stop.Token);
                await Task.Delay(Gather, _time, _stop.Token);
                var (lines, droppedBefore) = _queue.Take(BatchLines, BatchBytes);
                if (lines.Count > 0)
                    await DeliverAsync(lines, droppedBefore);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // What is left is flushed by who stops it.
        }
    }

    // Until the collector takes or refuses it; meanwhile the queue keeps the newest lines.
    private async Task DeliverAsync(IReadOnlyList<LogLine> lines, long droppedBefore)
    {
        var wait = FirstWait;
        var request = _records.Request(lines, droppedBefore, _time.GetUtcNow());
        while (true)
        {
            var answer = await TryAsync(request, lines.Count, droppedBefore, _stop.Token);
            if (answer.Outcome != OtlpOutcome.Later)
                return;
            var asked = answer.After < LongestWait ? answer.After : LongestWait;
            await Task.Delay(asked > wait ? asked : wait, _time, _stop.Token);
            wait = wait.Doubled(LongestWait);
        }
    }

    private async Task<OtlpAnswer> TryAsync(ExportLogsServiceRequest request, int lines, long droppedBefore, CancellationToken cancellation)
    {
        var answer = await SendAsync(request, cancellation);
        if (answer.Outcome == OtlpOutcome.Taken)
        {
            Interlocked.Add(ref _sent, Math.Max(0, lines - answer.Rejected));
            _queue.Lose(Math.Min(answer.Rejected, lines));
        }
        else if (answer.Outcome == OtlpOutcome.Refused)
        {
            _queue.Lose(lines, untold: droppedBefore);
        }

        Note(answer.Problem);
        return answer;
    }

    private async Task<OtlpAnswer> SendAsync(ExportLogsServiceRequest request, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(SendTime);
        try
        {
            var answer = await _sender.SendAsync(request, _headers.Read(), limit.Token);
            cancellation.ThrowIfCancellationRequested();
            return answer;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return OtlpAnswer.Later(e.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return OtlpAnswer.Later($"no answer within {SendTime.TotalSeconds} s");
        }
    }

    // Once for each that is new: the line itself goes to the collector, too.
    private void Note(string problem)
    {
        var before = _problem;
        Volatile.Write(ref _problem, problem);
        if (problem.Length > 0 && before.Length == 0)
            LogProblem(problem);
        else if (problem.Length == 0 && before.Length > 0)
            LogTaken(_queue.Dropped);
    }

    [LoggerMessage(1, LogLevel.Warning, "the collector of spec.logging.otlp does not take the log: {Problem}; lines are kept up to 4 MiB, then the oldest are dropped")]
    private partial void LogProblem(string problem);

    [LoggerMessage(2, LogLevel.Information, "the collector takes the log again; {Dropped} lines have been dropped so far")]
    private partial void LogTaken(long dropped);
}
