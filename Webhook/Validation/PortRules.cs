using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>TCP port numbers.</summary>
internal static class PortRules
{
    /// <summary>1 to 65535.</summary>
    public static IRuleBuilderOptionsConditions<T, int> PortNumber<T>(this IRuleBuilder<T, int> rule) => rule.Custom((port, context) =>
    {
        if (!IsPort(port))
            context.AddFailure(Message(port));
    });

    /// <summary>1 to 65535, or absent.</summary>
    public static IRuleBuilderOptionsConditions<T, int?> PortNumber<T>(this IRuleBuilder<T, int?> rule) => rule.Custom((port, context) =>
    {
        if (port is { } number && !IsPort(number))
            context.AddFailure(Message(number));
    });

    /// <summary>Whether it is a port.</summary>
    public static bool IsPort(int port) => port is >= 1 and <= 65535;

    private static string Message(int port) => $"{port} is not a port, allowed are 1 to 65535";
}
