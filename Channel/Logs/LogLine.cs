using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Enclaves.Channel.Logs;

/// <summary>One line of a log.</summary>
/// <param name="Time">When it was written at its source.</param>
/// <param name="Source">Who wrote it.</param>
/// <param name="Text">The line without its end, in UTF-8 unless its writer did otherwise.</param>
/// <param name="Partial">The line goes on in the next record of the stream.</param>
public readonly record struct LogLine(DateTimeOffset Time, LogSource Source, ReadOnlyMemory<byte> Text, bool Partial = false)
{
    /// <summary>A line of text.</summary>
    public LogLine(DateTimeOffset time, LogSource source, string text, bool partial = false)
        : this(time, source, Encoding.UTF8.GetBytes(text), partial)
    {
    }

    /// <summary>Stands where lines would be that were lost.</summary>
    public static LogLine Gap(DateTimeOffset time, LogSource source, long lines) =>
        new(time, source, string.Create(CultureInfo.InvariantCulture, $"[{lines} lines before this one were dropped]"));
}

/// <summary>Who writes lines.</summary>
/// <param name="container">See <see cref="Container"/>.</param>
/// <param name="stream">See <see cref="Stream"/>.</param>
public sealed class LogSource(string container, string stream)
{
    /// <summary>This program.</summary>
    public const string Host = "enclave-host";

    /// <summary>The Orchestrator.</summary>
    public const string Orchestrator = "orchestrator";

    /// <summary>A container of the manifest, <see cref="Orchestrator"/>, <c>console</c> or <see cref="Host"/>.</summary>
    public string Container { get; } = container;

    /// <summary>stdout, stderr, or the level for <see cref="Host"/>.</summary>
    public string Stream { get; } = stream;

    /// <summary>What stands between a line's time and its text.</summary>
    internal byte[] Json { get; } = Encoding.UTF8.GetBytes($"\",\"container\":\"{JsonEncodedText.Encode(container)}\",\"stream\":\"{JsonEncodedText.Encode(stream)}\",\"text\":\"");
}
