using System.Threading.Channels;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Control.Events;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Events;

/// <summary>Takes what a recorder writes, or fails as a test asks for.</summary>
internal sealed class FakeSink : IEventSink
{
    private readonly Channel<EventState> _tried = System.Threading.Channels.Channel.CreateUnbounded<EventState>();

    /// <summary>Is asked before each write, and throws for one that fails.</summary>
    public Func<EventState, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Events as they stand, by name.</summary>
    public Dictionary<string, EventState> Written { get; } = [];

    /// <summary>Whether a write has begun that no test has asked about.</summary>
    public bool WasTried => _tried.Reader.TryPeek(out _);

    /// <summary>The next write that is tried.</summary>
    public async Task<EventState> NextTry() => await _tried.Reader
        .ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

    public async Task WriteAsync(EventState state, CancellationToken cancellation)
    {
        _tried.Writer.TryWrite(state);
        await Before(state, cancellation);
        Written[state.Name] = state;
    }

    public static EventNote Note(string note = "It happened.", string reason = "Happened", string about = "hello", string type = "Normal") =>
        new(new EventSubject("example/v1", "Thing", new ObjectKey("default", about), $"uid-{about}", "1"), type, reason, "Test", note);
}
