using System.Text.RegularExpressions;
using Enclaves.Channel.Egress;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>Names as Kubernetes allows them: labels (RFC 1123), host names, environment variables.</summary>
internal static partial class NameRules
{
    /// <summary>Lower-case letters, digits and '-', at most 63 characters.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> DnsLabel<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((name, context) =>
    {
        if (name is null || !Label().IsMatch(name))
            context.AddFailure($"'{name}' is not a DNS label; allowed are lower-case letters, digits and '-' between them, 63 characters");
    });

    /// <summary>DNS labels with dots between them, at most 253 characters: the name of a Secret and the like. Absent is fine.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> ObjectName<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((name, context) =>
    {
        if (name is not null)
            CheckObjectName(name, context);
    });

    /// <summary>As <see cref="ObjectName"/>, and not absent.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> RequiredObjectName<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((name, context) =>
    {
        CheckObjectName(name, context);
    });

    /// <summary>A key of a ConfigMap or Secret: letters, digits, '-', '_' and '.', at most 253 characters.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> DataKey<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((key, context) =>
    {
        if (key is null or "." or ".." || !Key().IsMatch(key))
            context.AddFailure($"'{key}' is not a key of a ConfigMap or Secret; allowed are letters, digits, '-', '_' and '.', 253 characters");
    });

    /// <summary>A name that no plugin may have is refused.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> PluginName<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((name, context) =>
    {
        if (name == EgressRequest.ImagePull)
            context.AddFailure($"'{name}' stands for the pull of images in the egress rules, allowed is any other name");
    });

    /// <summary>A variable's name as a pod allows it.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> VariableName<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((name, context) =>
    {
        if (name is null || !Variable().IsMatch(name))
            context.AddFailure($"'{name}' is not the name of an environment variable; allowed are letters, digits, '_', '-' and '.', no digit first");
    });

    /// <summary>Whether it is a host name without wildcard, in any case of letters.</summary>
    public static bool IsHostName(string text) => text.Length is > 0 and <= 253 && Host().IsMatch(text);

    private static void CheckObjectName<T>(string? name, ValidationContext<T> context)
    {
        if (name is null || name.Length > 253 || !Subdomain().IsMatch(name))
            context.AddFailure($"'{name}' is not the name of an object; allowed are lower-case letters, digits, '-' and '.', 253 characters");
    }

    [GeneratedRegex(@"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Label();

    [GeneratedRegex(@"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"\A[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Host();

    [GeneratedRegex(@"\A[-._a-zA-Z0-9]{1,253}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Key();

    [GeneratedRegex(@"\A[-._a-zA-Z][-._a-zA-Z0-9]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();
}
