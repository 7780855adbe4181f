using Enclaves.Api;
using Enclaves.Webhook.Injection;
using Enclaves.Webhook.Validation;

namespace Enclaves.Webhook.Options;

/// <summary>Options of the program, complete and within their bounds: <c>--name value</c>, or <c>WEBHOOK_NAME</c> in the environment.</summary>
internal sealed record WebhookOptions
{
    /// <summary><c>--tls-cert</c>: PEM file with the server's certificate, followed by intermediate ones.</summary>
    public required string CertificatePath { get; init; }

    /// <summary><c>--tls-key</c>: PEM file with its key.</summary>
    public required string KeyPath { get; init; }

    /// <summary><c>--https-port</c>: the admission endpoints.</summary>
    public required int HttpsPort { get; init; }

    /// <summary><c>--http-port</c>: /livez, /readyz and /metrics.</summary>
    public required int HttpPort { get; init; }

    /// <summary><c>--drain-seconds</c>: from SIGTERM to the end of serving, while API servers still hold connections.</summary>
    public required TimeSpan Drain { get; init; }

    /// <summary>
    /// <c>--log-level</c>: debug, info, warn or error. At info stands every review that was changed or denied, at debug also those that were
    /// let through as they are.
    /// </summary>
    public required LogLevel LogLevel { get; init; }

    /// <summary>What enclave pods are filled with.</summary>
    public required InjectionOptions Injection { get; init; }

    /// <summary>Which images NEDs may name.</summary>
    public required ImagePolicy Images { get; init; }

    /// <summary>Reads and checks everything; the options are only valid when there is no problem.</summary>
    public static (WebhookOptions Options, IReadOnlyList<string> Problems) Read(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var reader = new OptionsReader(arguments, environment);
        var options = new WebhookOptions
        {
            CertificatePath = reader.Required("tls-cert"),
            KeyPath = reader.Required("tls-key"),
            HttpsPort = reader.Number("https-port", 8443, 1, 65535),
            HttpPort = reader.Number("http-port", 8080, 1, 65535),
            Drain = TimeSpan.FromSeconds(reader.Number("drain-seconds", 10, 0, 300)),
            LogLevel = Level(reader.Choice("log-level", LoggingLevels.Info, LoggingLevels.Debug, LoggingLevels.Info, LoggingLevels.Warn, LoggingLevels.Error)),
            Injection = InjectionOptions.Read(reader),
            Images = ImagePolicy.Read(reader),
        };
        reader.Finish();
        return (options, reader.Problems);
    }

    private static LogLevel Level(string name) => name switch
    {
        LoggingLevels.Debug => LogLevel.Debug,
        LoggingLevels.Warn => LogLevel.Warning,
        LoggingLevels.Error => LogLevel.Error,
        _ => LogLevel.Information,
    };
}
