using System.Runtime.InteropServices;
using Enclaves.Channel.Logs;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Log;
using Google.Protobuf.Collections;

namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// Turns the enclave's log into lines of the pod's log; counts what was lost inside, which the gaps between the batches' sequence numbers tell.
/// </summary>
internal sealed class LogForwarder(StdoutLines lines)
{
    private const int MaxNameLength = 64;

    // A manifest has 64 containers at most, and each two streams.
    private const int MaxSources = 256;

    // The last moment that a DateTimeOffset can be.
    private static readonly long MaxTicks = (DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks;

    private readonly List<LogLine> _read = [];
    private LogSource[] _sources = [];
    private long _droppedInside;
    private ulong _last;

    /// <summary>Lines lost inside the enclaves of this pod so far.</summary>
    public long DroppedInside => Interlocked.Read(ref _droppedInside);

    /// <summary>A new enclave counts its lines afresh.</summary>
    public void BeginBoot() => _last = 0;

    /// <summary>Writes a batch, without the lines that an earlier session of this boot has brought: each session begins with all that is kept.</summary>
    /// <exception cref="InvalidDataException">It is malformed; what came before the fault has been written.</exception>
    public void Forward(LogBatch batch)
    {
        if (batch.Sources.Count > MaxSources)
            throw new InvalidDataException($"log batch: {batch.Sources.Count} sources, allowed are {MaxSources}");
        Learn(batch.Sources);
        try
        {
            Read(batch);
        }
        finally
        {
            lines.Write(CollectionsMarshal.AsSpan(_read));
            _read.Clear();
        }
    }

    /// <summary>Waits until there is room for more.</summary>
    public Task RoomAsync(CancellationToken cancellation) => lines.RoomAsync(cancellation);

    private void Read(LogBatch batch)
    {
        var rest = batch.Entries.Memory;
        for (var sequence = batch.FirstSequence; !rest.IsEmpty; sequence++)
        {
            var frame = LogFrame.Take(ref rest, _sources.Length, out var text);
            if (sequence <= _last)
                continue;
            var at = DateTimeOffset.UnixEpoch.AddTicks(Math.Clamp(frame.UnixTicks, 0, MaxTicks));
            if (sequence - _last > 1)
                Tell(sequence - _last - 1, at, _sources[frame.Source]);
            _last = sequence;
            _read.Add(new LogLine(at, _sources[frame.Source], text, frame.Partial));
        }
    }

    private void Tell(ulong missing, DateTimeOffset at, LogSource source)
    {
        var dropped = (long)Math.Min(missing, long.MaxValue);
        Interlocked.Add(ref _droppedInside, dropped);
        _read.Add(LogLine.Gap(at, source, dropped));
    }

    // The same in nearly every batch.
    private void Learn(RepeatedField<LogBatch.Types.Source> said)
    {
        if (_sources.Length != said.Count)
            Array.Resize(ref _sources, said.Count);
        for (var i = 0; i < said.Count; i++)
        {
            var (container, stream) = (said[i].Container.Length == 0 ? LogSource.Orchestrator : Cut(said[i].Container), Cut(said[i].Stream));
            if (_sources[i] is null || _sources[i].Container != container || _sources[i].Stream != stream)
                _sources[i] = new LogSource(container, stream);
        }
    }

    private static string Cut(string name) => name.Length <= MaxNameLength ? name : name[..MaxNameLength];
}
