using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>What a spec and the settings of a pod may say of logs.</summary>
internal static class LoggingRules
{
    // As the schema has it.
    private const int MaxUrlLength = 2048;

    /// <summary>One of the levels, or absent.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> Level<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((level, context) =>
    {
        if (level is not (null or LoggingLevels.Debug or LoggingLevels.Info or LoggingLevels.Warn or LoggingLevels.Error))
            context.AddFailure($"'{level}' is not a level, allowed are {LoggingLevels.Debug}, {LoggingLevels.Info}, {LoggingLevels.Warn} and {LoggingLevels.Error}");
    });

    /// <summary>One of OTLP's protocols, or absent.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> OtlpProtocol<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((protocol, context) =>
    {
        if (protocol is not (null or OtlpProtocols.Grpc or OtlpProtocols.Http))
            context.AddFailure($"'{protocol}' is not a protocol, allowed are {OtlpProtocols.Grpc} and {OtlpProtocols.Http}");
    });

    /// <summary>The URL of a collector, which is required.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> CollectorUrl<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((endpoint, context) =>
    {
        if (endpoint is null || endpoint.Length > MaxUrlLength || !UrlRules.IsUrl(endpoint, "http", "https"))
            context.AddFailure($"'{endpoint}' is not a URL of a collector, allowed is http(s)://HOST:PORT[/PATH]");
    });
}
