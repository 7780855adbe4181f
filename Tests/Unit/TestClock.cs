using System.Threading.Channels;
using Pipe = System.Threading.Channels.Channel;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Enclaves.Tests.Unit;

/// <summary>
/// Time that stands still until a test moves it on, and that tells when the code under test has begun to wait: moved on a moment earlier,
/// the time would be lost on it and the test would hang.
/// </summary>
internal sealed class TestClock() : FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Channel<TimeSpan> _begun = Pipe.CreateUnbounded<TimeSpan>();

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        _begun.Writer.TryWrite(dueTime);
        return timer;
    }

    /// <summary>Completes when a wait of this length has begun. Each wait answers one call; those of other lengths are passed over.</summary>
    public async Task Waits(TimeSpan length)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        var others = new List<TimeSpan>();
        try
        {
            for (var begun = await _begun.Reader.ReadAsync(limit.Token); begun != length; begun = await _begun.Reader.ReadAsync(limit.Token))
                others.Add(begun);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"no wait of {length} has begun within {Limit}; there were waits of: {string.Join(", ", others)}");
        }
    }
}
