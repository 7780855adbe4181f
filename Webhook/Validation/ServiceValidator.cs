using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>spec.service.</summary>
internal sealed class ServiceValidator : AbstractValidator<ServiceSpec>
{
    private static readonly string[] Types = [ServiceTypes.ClusterIP, ServiceTypes.NodePort, ServiceTypes.LoadBalancer, ServiceTypes.None];

    public ServiceValidator() => RuleFor(service => service.Type).Custom((type, context) =>
    {
        if (type is not null && !Types.Contains(type))
            context.AddFailure($"'{type}' is not a type, allowed are {string.Join(", ", Types)}");
    });
}
