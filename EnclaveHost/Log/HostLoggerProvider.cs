using Enclaves.Channel.Logs;

namespace Enclaves.EnclaveHost.Log;

/// <summary>Sends the program's own log to the pod's log as lines of container <c>enclave-host</c>; the stream is the level.</summary>
internal sealed class HostLoggerProvider(StdoutLines lines, TimeProvider time) : ILoggerProvider
{
    private static readonly LogSource Debug = new(LogSource.Host, "debug");
    private static readonly LogSource Information = new(LogSource.Host, "info");
    private static readonly LogSource Warning = new(LogSource.Host, "warning");
    private static readonly LogSource Error = new(LogSource.Host, "error");

    public ILogger CreateLogger(string categoryName) => new HostLogger(lines, time, categoryName);

    public void Dispose()
    {
        // The lines belong to the program and outlive its loggers.
    }

    private sealed class HostLogger(StdoutLines lines, TimeProvider time, string category) : ILogger
    {
        private readonly string _category = category[(category.LastIndexOf('.') + 1)..];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var text = $"{_category}: {formatter(state, exception)}";
            if (exception is not null)
                text += $": {exception}";
            lines.Write(new LogLine(time.GetUtcNow(), Source(logLevel), text));
        }

        private static LogSource Source(LogLevel level) => level switch
        {
            LogLevel.Trace or LogLevel.Debug => Debug,
            LogLevel.Information => Information,
            LogLevel.Warning => Warning,
            _ => Error,
        };
    }
}
