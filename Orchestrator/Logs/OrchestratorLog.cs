using System.Text;

namespace Enclaves.Orchestrator.Logs;

/// <summary>The Orchestrator's own log: one line an event, on the console and in the buffer that the host reads.</summary>
internal sealed class OrchestratorLog(LogBuffer buffer, TimeProvider time, LogLevel level) : ILoggerProvider
{
    private readonly ushort _source = buffer.Source("", "stderr");

    /// <summary>The least level that is written.</summary>
    public LogLevel Level { get; set; } = level;

    public ILogger CreateLogger(string categoryName) => new Writer(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void Dispose()
    {
    }

    private bool Takes(LogLevel severity) => severity >= Level && severity != LogLevel.None;

    private void Write(LogLevel severity, string category, string message, Exception? exception)
    {
        var text = new StringBuilder()
            .Append(severity.ToString().ToLowerInvariant()).Append(": ").Append(category).Append(": ").Append(message);
        if (exception is not null)
            text.Append(": ").Append(exception);
        text.Replace("\r", "").Replace("\n", " | ");
        var line = text.ToString();
        Console.Error.WriteLine(line);
        buffer.Append(_source, Encoding.UTF8.GetBytes(line), partial: false, time.GetUtcNow());
    }

    private sealed class Writer(OrchestratorLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => log.Takes(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Write(logLevel, category, formatter(state, exception), exception);
        }
    }
}
