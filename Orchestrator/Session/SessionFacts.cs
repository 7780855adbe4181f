using Enclaves.Orchestrator.Init;
using Enclaves.Orchestrator.Logs;

namespace Enclaves.Orchestrator.Session;

/// <summary>What the host said in the latest Hello, and what the enclave does about it where it is a machine of its own.</summary>
internal sealed partial class SessionFacts(GuestClock clock, OrchestratorLog log, TimeProvider time, ILogger<SessionFacts> logger)
{
    private readonly ILogger<SessionFacts> _logger = logger;
    private volatile uint _egressPort;

    /// <summary>The host's egress port; 0 for none.</summary>
    public uint EgressPort => _egressPort;

    /// <summary>When the Orchestrator began, by the clock as it is set now.</summary>
    public DateTimeOffset Started { get; private set; } = time.GetUtcNow();

    /// <summary>Takes over what a Hello brings.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The host's clock cannot be right, or there is no such level.</exception>
    /// <exception cref="IOException">The name or the clock could not be set.</exception>
    public void Apply(DateTimeOffset hostTime, string hostname, uint egressPort, string logLevel)
    {
        if (logLevel.Length > 0)
            log.Level = Level(logLevel);
        if (PowerSwitch.IsInit)
        {
            var step = clock.Offer(hostTime, time.GetUtcNow());
            if (step != TimeSpan.Zero)
            {
                Started += step;
                LogStepped(step.TotalSeconds);
            }

            if (hostname.Length > 0)
                InitSystem.SetHostname(hostname);
        }

        _egressPort = egressPort;
    }

    private static LogLevel Level(string name) => name switch
    {
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Information,
        "warn" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => throw new ArgumentOutOfRangeException(nameof(name), "log_level is not one of debug, info, warn, error"),
    };

    [LoggerMessage(1, LogLevel.Information, "clock set from the host's, a step of {Seconds} s")]
    private partial void LogStepped(double seconds);
}
