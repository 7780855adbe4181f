using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>Restart policies.</summary>
internal static class RestartPolicyRules
{
    /// <summary>Always, OnFailure, Never, or absent.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> RestartPolicy<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((policy, context) =>
    {
        if (policy is not (null or RestartPolicies.Always or RestartPolicies.OnFailure or RestartPolicies.Never))
            context.AddFailure($"'{policy}' is not a restart policy, allowed are {RestartPolicies.Always}, {RestartPolicies.OnFailure} and {RestartPolicies.Never}");
    });
}
