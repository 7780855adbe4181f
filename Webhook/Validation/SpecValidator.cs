using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>spec: its parts, and what must hold between plugins.</summary>
internal sealed class SpecValidator : AbstractValidator<NitroEnclaveDeploymentSpec>
{
    private const string Scope = "in the NitroEnclaveDeployment";

    public SpecValidator()
    {
        RuleFor(spec => spec.Replicas).Custom((replicas, context) =>
        {
            if (replicas < 0)
                context.AddFailure($"{replicas} is negative, allowed are 0 and more");
        });
        RuleFor(spec => spec.Enclave).SetValidator(new EnclaveValidator()!);
        RuleFor(spec => spec.RestartPolicy).RestartPolicy();
        RuleFor(spec => spec.UserPlugins).Custom((plugins, context) =>
        {
            if (plugins is null || plugins.Count == 0)
                context.AddFailure("is empty, at least one plugin is required");
            else if (plugins.Any(plugin => plugin is null))
                context.AddFailure("has an item that is null, every item is a plugin with name and image");
        });
        RuleForEach(spec => spec.UserPlugins).SetValidator(new UserPluginValidator());
        RuleFor(spec => spec.UserPlugins).Custom((plugins, context) => CheckUnique(plugins ?? [], context));
        RuleFor(spec => spec).Custom(EgressPorts.RequireFree);
        RuleFor(spec => spec.Service).SetValidator(new ServiceValidator()!);
        Include(new RolloutValidator());
    }

    private static void CheckUnique(IReadOnlyList<UserPlugin> plugins, ValidationContext<NitroEnclaveDeploymentSpec> context)
    {
        var ports = plugins.SelectMany((plugin, i) => (plugin?.Ports ?? []).Select((port, j) => (Path: $"Spec.UserPlugins[{i}].Ports[{j}]", Port: port))).ToList();
        context.Unique(plugins.Select((plugin, i) => ($"Spec.UserPlugins[{i}].Name", plugin?.Name)), Scope);
        context.Unique(ports.Select(port => ($"{port.Path}.ContainerPort", (object?)port.Port?.ContainerPort)), $"{Scope}, whose containers share one network");
        context.Unique(ports.Select(port => ($"{port.Path}.HostPort", (object?)port.Port?.HostPort)), $"{Scope}, which has one Service");
        context.Unique(
            // Ports of one number have one name by default as well: that error is said above.
            ports.Where(port => port.Port?.HostPort is not null).DistinctBy(port => port.Port.HostPort).Select(port => ($"{port.Path}.Name", (string?)ExposedPort.ServicePortName(port.Port))),
            $"{Scope}, which has one Service");
    }
}
