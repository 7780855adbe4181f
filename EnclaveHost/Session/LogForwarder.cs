using System.Text;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Log;

namespace Enclaves.EnclaveHost.Session;

/// <summary>Turns the enclave's log records into lines of the pod's log; counts what was lost inside.</summary>
internal sealed class LogForwarder(StdoutLines lines)
{
    private const string Own = "orchestrator";
    private long _droppedInside;
    private ulong? _last;

    /// <summary>Records lost inside the enclave, as the records tell.</summary>
    public long DroppedInside => Interlocked.Read(ref _droppedInside);

    /// <summary>A new enclave counts its records afresh.</summary>
    public void BeginBoot() => _last = null;

    /// <summary>Writes a record, unless an earlier session of this boot has brought it: each session begins with all that is kept.</summary>
    public void Forward(LogRecord record)
    {
        if (record.Sequence <= _last)
            return;
        _last = record.Sequence;
        var container = record.Container.Length == 0 ? Own : record.Container;
        var at = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(record.UnixMilliseconds, 0, 253_402_300_799_999));
        if (record.DroppedBefore > 0)
        {
            Interlocked.Add(ref _droppedInside, (long)Math.Min(record.DroppedBefore, long.MaxValue));
            lines.Write(new LogLine(at, container, record.Stream, $"[{record.DroppedBefore} lines before this one were dropped]"));
        }

        lines.Write(new LogLine(at, container, record.Stream, Encoding.UTF8.GetString(record.Text.Span), record.Partial));
    }
}
