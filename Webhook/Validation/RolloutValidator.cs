using System.Globalization;
using Enclaves.Api;
using FluentValidation;
using k8s.Models;

namespace Enclaves.Webhook.Validation;

/// <summary>The rollout fields, which are passed on to a Deployment: what its own validation would refuse later is refused here.</summary>
internal sealed class RolloutValidator : AbstractValidator<NitroEnclaveDeploymentSpec>
{
    public RolloutValidator()
    {
        RuleFor(spec => spec.Strategy).Custom((strategy, context) =>
        {
            if (strategy is not null)
                CheckStrategy(strategy, context);
        });
        RuleFor(spec => spec.ProgressDeadlineSeconds).Custom((deadline, context) =>
        {
            var spec = context.InstanceToValidate;
            var least = spec.MinReadySeconds ?? NedDefaults.MinReadySeconds;
            if ((deadline ?? NedDefaults.ProgressDeadlineSeconds) <= least)
                context.AddFailure($"{deadline ?? NedDefaults.ProgressDeadlineSeconds} is not above minReadySeconds {least}; allowed are {least + 1L} and more");
        });
    }

    private static void CheckStrategy(V1DeploymentStrategy strategy, ValidationContext<NitroEnclaveDeploymentSpec> context)
    {
        var rolling = strategy.RollingUpdate;
        if (strategy.Type is not (null or "RollingUpdate" or "Recreate"))
            context.AddFailure("Strategy.Type", $"'{strategy.Type}' is not a strategy, allowed are RollingUpdate and Recreate");
        // Beside Recreate it is of no effect, and may well be what was filled in while the type was another: a user cannot know of it.
        if (rolling is null || strategy.Type == "Recreate")
            return;
        var surge = Check(rolling.MaxSurge?.Value, "Strategy.RollingUpdate.MaxSurge", context);
        var unavailable = Check(rolling.MaxUnavailable?.Value, "Strategy.RollingUpdate.MaxUnavailable", context);
        if (surge == 0 && unavailable == 0)
            context.AddFailure("Strategy.RollingUpdate.MaxUnavailable", "may not be 0 when maxSurge is 0; allowed is one of them, else no pod could ever be replaced");
    }

    // Answers the number, -1 for an absent one or one that is not understood.
    private static int Check(string? text, string path, ValidationContext<NitroEnclaveDeploymentSpec> context)
    {
        if (text is null)
            return -1;
        var digits = text.EndsWith('%') ? text[..^1] : text;
        if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        context.AddFailure(path, $"'{text}' is neither a number nor a percentage; allowed are 1, 25% and the like");
        return -1;
    }
}
