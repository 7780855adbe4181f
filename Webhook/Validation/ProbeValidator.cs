using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>A probe: one way of probing, and timings within a kubelet's bounds.</summary>
/// <remarks>Only a readiness probe may ask for more than one success, as in a pod.</remarks>
internal sealed class ProbeValidator : AbstractValidator<PluginProbe>
{
    public ProbeValidator(bool isReadiness)
    {
        RuleFor(probe => probe).Custom((probe, context) => context.ExactlyOne(
            ("exec", probe.Exec is not null), ("httpGet", probe.HttpGet is not null), ("tcpSocket", probe.TcpSocket is not null)));
        RuleFor(probe => probe.Exec!.Command).Custom((command, context) =>
        {
            if (command is null || command.Count == 0 || string.IsNullOrEmpty(command[0]))
                context.AddFailure("is empty, the path of a program is required");
        }).When(probe => probe.Exec is not null);
        RuleFor(probe => probe.HttpGet!.Port).PortNumber().When(probe => probe.HttpGet is not null);
        RuleFor(probe => probe.HttpGet!.Path).Custom((path, context) =>
        {
            if (path is not null && (!path.StartsWith('/') || path.Any(char.IsControl)))
                context.AddFailure($"'{path}' is not a path, allowed is what begins with / and has no control characters");
        }).When(probe => probe.HttpGet is not null);
        RuleFor(probe => probe.HttpGet!.HttpHeaders).Each(new ProbeHeaderValidator()).When(probe => probe.HttpGet is not null);
        RuleFor(probe => probe.HttpGet!.Scheme).Custom((scheme, context) =>
        {
            if (scheme is not (null or ProbeSchemes.Http or ProbeSchemes.Https))
                context.AddFailure($"'{scheme}' is not a scheme, allowed are {ProbeSchemes.Http} and {ProbeSchemes.Https}");
        }).When(probe => probe.HttpGet is not null);
        RuleFor(probe => probe.TcpSocket!.Port).PortNumber().When(probe => probe.TcpSocket is not null);
        RuleFor(probe => probe.InitialDelaySeconds).Custom((seconds, context) => Least(seconds, 0, context));
        RuleFor(probe => probe.PeriodSeconds).Custom((seconds, context) => Least(seconds, 1, context));
        RuleFor(probe => probe.TimeoutSeconds).Custom((seconds, context) => Least(seconds, 1, context));
        RuleFor(probe => probe.FailureThreshold).Custom((count, context) => Least(count, 1, context));
        RuleFor(probe => probe.SuccessThreshold).Custom((count, context) =>
        {
            Least(count, 1, context);
            if (!isReadiness && count > 1)
                context.AddFailure($"{count} successes are for readiness probes only, allowed is 1");
        });
    }

    private static void Least(int? value, int least, ValidationContext<PluginProbe> context)
    {
        if (value < least)
            context.AddFailure($"{value} is too little, allowed are {least} and more");
    }
}

/// <summary>A header of a probe's request, as a Kubernetes API server takes it.</summary>
internal sealed class ProbeHeaderValidator : AbstractValidator<ProbeHeader>
{
    public ProbeHeaderValidator()
    {
        RuleFor(header => header.Name).Custom((name, context) =>
        {
            if (string.IsNullOrEmpty(name) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
                context.AddFailure($"'{name}' is not a header's name, allowed are letters, digits and '-'");
        });
        RuleFor(header => header.Value).Custom((value, context) =>
        {
            if (value is not null && value.Any(char.IsControl))
                context.AddFailure("has a control character, allowed are values without");
        });
    }
}
