using System.Globalization;
using System.Text;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Log;

namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// Turns the enclave's log records into lines of the pod's log; counts what was lost inside, which the gaps in the records' sequence tell.
/// </summary>
internal sealed class LogForwarder(StdoutLines lines)
{
    // An Orchestrator splits its lines there; what waits to be written must stay bounded whoever sends it.
    private const int MaxTextBytes = 16 * 1024;
    private const int MaxNameLength = 64;
    private const string Own = "orchestrator";
    private long _droppedInside;
    private ulong _last;

    /// <summary>Records lost inside the enclaves of this pod so far.</summary>
    public long DroppedInside => Interlocked.Read(ref _droppedInside);

    /// <summary>A new enclave counts its records afresh.</summary>
    public void BeginBoot() => _last = 0;

    /// <summary>Writes a record, unless an earlier session of this boot has brought it: each session begins with all that is kept.</summary>
    public void Forward(LogRecord record)
    {
        if (record.Sequence <= _last)
            return;
        var dropped = (long)Math.Min(record.Sequence - _last - 1, long.MaxValue);
        _last = record.Sequence;
        var container = record.Container.Length == 0 ? Own : Cut(record.Container);
        var stream = Cut(record.Stream);
        var at = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(record.UnixMilliseconds, 0, 253_402_300_799_999));
        if (dropped > 0)
        {
            Interlocked.Add(ref _droppedInside, dropped);
            lines.Write(new LogLine(at, container, stream, string.Create(CultureInfo.InvariantCulture, $"[{dropped} lines before this one were dropped]")));
        }

        var text = record.Text.Span;
        lines.Write(new LogLine(at, container, stream, Encoding.UTF8.GetString(text[..Math.Min(text.Length, MaxTextBytes)]), record.Partial));
    }

    private static string Cut(string name) => name.Length <= MaxNameLength ? name : name[..MaxNameLength];
}
