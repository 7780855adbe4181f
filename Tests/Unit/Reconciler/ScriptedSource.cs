using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Enclaves.Reconciler.Control;

namespace Enclaves.Tests.Unit.Reconciler;

internal sealed record Thing(string Name, string ResourceVersion) : IStored
{
    public ObjectKey Key => new("default", Name);
}

/// <summary>An API server of one kind whose lists and watches are written by the test.</summary>
internal sealed class ScriptedSource : IWatchSource<Thing>
{
    private readonly Channel<string> _calls = System.Threading.Channels.Channel.CreateUnbounded<string>();

    public string Name => "things";

    /// <summary>Answers a list at a version.</summary>
    public Func<string, ListResult<Thing>> List { get; set; } = _ => new ListResult<Thing>([], "1");

    /// <summary>Answers a watch from a version; the stream then stays open until it is cancelled, unless the answer throws or ends it.</summary>
    public Func<string, IEnumerable<WatchEvent<Thing>>> Watch { get; set; } = _ => [];

    /// <summary>Whether a watch ends after its events.</summary>
    public bool WatchEnds { get; set; }

    /// <summary>The next call that the reflector makes: "list VERSION" or "watch VERSION".</summary>
    public async Task<string> NextCall(CancellationToken cancellation) =>
        await _calls.Reader.ReadAsync(cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(10), cancellation);

    /// <summary>Whether a call is waiting to be read.</summary>
    public bool WasCalled => _calls.Reader.TryPeek(out _);

    public Task<ListResult<Thing>> ListAsync(string resourceVersion, CancellationToken cancellation)
    {
        _calls.Writer.TryWrite($"list {resourceVersion}");
        return Task.FromResult(List(resourceVersion));
    }

    public async IAsyncEnumerable<WatchEvent<Thing>> WatchAsync(
        string resourceVersion, TimeSpan timeout, [EnumeratorCancellation] CancellationToken cancellation)
    {
        _calls.Writer.TryWrite($"watch {resourceVersion}");
        foreach (var item in Watch(resourceVersion))
            yield return item;
        if (!WatchEnds)
            await Task.Delay(Timeout.Infinite, cancellation);
    }
}
