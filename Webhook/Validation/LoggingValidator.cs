using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>spec.logging.</summary>
internal sealed class LoggingValidator : AbstractValidator<LoggingSpec>
{
    public LoggingValidator()
    {
        RuleFor(logging => logging.Backend).Custom((backend, context) =>
        {
            if (backend is not (null or LoggingBackends.Stdout or LoggingBackends.Otlp))
                context.AddFailure($"'{backend}' is not a backend, allowed are {LoggingBackends.Stdout} and {LoggingBackends.Otlp}");
        });
        RuleFor(logging => logging.Otlp).Custom((otlp, context) =>
        {
            var isOtlp = context.InstanceToValidate.Backend == LoggingBackends.Otlp;
            if (isOtlp && otlp is null)
                context.AddFailure($"is required for backend {LoggingBackends.Otlp}");
            else if (!isOtlp && otlp is not null)
                context.AddFailure($"is for backend {LoggingBackends.Otlp} only; set spec.logging.backend to it, or remove this");
        });
        RuleFor(logging => logging.Otlp!.Endpoint).CollectorUrl().When(logging => logging.Otlp is not null);
        RuleFor(logging => logging.Otlp!.Protocol).OtlpProtocol().When(logging => logging.Otlp is not null);
        RuleFor(logging => logging.Otlp!.HeadersSecret).ObjectName().When(logging => logging.Otlp is not null);
        RuleFor(logging => logging.Level).Level();
    }
}
