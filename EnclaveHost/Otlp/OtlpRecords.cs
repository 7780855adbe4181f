using System.Text;
using Enclaves.Channel.Logs;
using Enclaves.EnclaveHost.Otlp.V1;

namespace Enclaves.EnclaveHost.Otlp;

/// <summary>Lines as the records of OTLP, under the names of OpenTelemetry's semantic conventions where they have one.</summary>
/// <param name="resource">Attributes of whoever speaks: the pod.</param>
/// <param name="version">This program's version.</param>
internal sealed class OtlpRecords(IReadOnlyList<(string Key, string Value)> resource, string version)
{
    // SeverityNumber of the OpenTelemetry log data model.
    private const int Debug = 5;
    private const int Info = 9;
    private const int Warn = 13;
    private const int Error = 17;

    private static readonly LogSource Own = new(LogSource.Host, "warning");

    // A clock that was set back is another matter.
    private const ulong Close = 1_000_000;

    private readonly Dictionary<(string Container, string Stream), ulong> _last = [];

    /// <summary>The request for some lines.</summary>
    /// <param name="lines">In order.</param>
    /// <param name="droppedBefore">Lines that are missing before them; 0 for none.</param>
    /// <param name="now">When they are sent.</param>
    public ExportLogsServiceRequest Request(IReadOnlyList<LogLine> lines, long droppedBefore, DateTimeOffset now)
    {
        var scope = new ScopeLogs { Scope = new InstrumentationScope { Name = "enclaves", Version = version } };
        if (droppedBefore > 0)
            scope.LogRecords.Add(Record(LogLine.Gap(lines.Count > 0 ? lines[0].Time : now, Own, droppedBefore), now));
        scope.LogRecords.AddRange(lines.Select(line => Record(line, now)));
        var logs = new ResourceLogs { Resource = new Resource(), ScopeLogs = { scope } };
        logs.Resource.Attributes.AddRange(resource.Where(attribute => attribute.Value.Length > 0).Select(attribute => Text(attribute.Key, attribute.Value)));
        return new ExportLogsServiceRequest { ResourceLogs = { logs } };
    }

    private LogRecord Record(LogLine line, DateTimeOffset now)
    {
        var text = Encoding.UTF8.GetString(line.Text.Span);
        var (number, name) = Severity(line, text);
        var record = new LogRecord
        {
            TimeUnixNano = After(line),
            ObservedTimeUnixNano = Nanoseconds(now),
            SeverityNumber = number,
            SeverityText = name,
            Body = new AnyValue { StringValue = text },
        };
        record.Attributes.Add(Text("k8s.container.name", line.Source.Container));
        if (line.Source.Stream is "stdout" or "stderr")
            record.Attributes.Add(Text("log.iostream", line.Source.Stream));
        if (line.Partial)
            record.Attributes.Add(new KeyValue { Key = "enclaves.partial", Value = new AnyValue { BoolValue = true } });
        return record;
    }

    // A backend sorts by time: of lines of one stream with one time, each is a nanosecond after the one before it.
    private ulong After(LogLine line)
    {
        var time = Nanoseconds(line.Time);
        var key = (line.Source.Container, line.Source.Stream);
        if (_last.TryGetValue(key, out var last) && time <= last && last - time < Close)
            time = last + 1;
        return _last[key] = time;
    }

    // What a container writes says nothing about its weight; the platform's own lines do.
    private static (int Number, string Text) Severity(LogLine line, string text) => line.Source.Container switch
    {
        LogSource.Host => Level(line.Source.Stream),
        LogSource.Orchestrator when text.IndexOf(':', StringComparison.Ordinal) is > 0 and var end => Level(text[..end]),
        _ => (0, ""),
    };

    private static (int Number, string Text) Level(string name) => name switch
    {
        "trace" or "debug" => (Debug, "DEBUG"),
        "info" or "information" => (Info, "INFO"),
        "warning" => (Warn, "WARN"),
        "error" or "critical" => (Error, "ERROR"),
        _ => (0, ""),
    };

    private static KeyValue Text(string key, string value) => new() { Key = key, Value = new AnyValue { StringValue = value } };

    private static ulong Nanoseconds(DateTimeOffset time) => (ulong)Math.Max(0, (time - DateTimeOffset.UnixEpoch).Ticks) * 100;
}
