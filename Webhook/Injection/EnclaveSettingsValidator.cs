using Enclaves.Api;
using Enclaves.Webhook.Validation;
using FluentValidation;

namespace Enclaves.Webhook.Injection;

/// <summary>What must hold of the settings in a pod's annotation, which anybody can write.</summary>
internal sealed class EnclaveSettingsValidator : AbstractValidator<EnclaveSettings>
{
    // What EnclaveHost takes.
    private const int MostCpus = 256;
    private const long LeastMemory = 64;
    private const long MostMemory = 1 << 20;
    // More than an enclave's containers can need; each of them makes the pod larger.
    private const int MostItems = 256;

    public EnclaveSettingsValidator()
    {
        RuleFor(settings => settings.CpuCount).Custom((count, context) =>
        {
            if (count is < 2 or > MostCpus || count % 2 != 0)
                context.AddFailure($"is {count}, allowed is an even number from 2 to {MostCpus}: an enclave takes full cores");
        });
        RuleFor(settings => settings.HugepageSize).Custom((size, context) =>
        {
            if (size is not (HugepageSizes.TwoMi or HugepageSizes.OneGi))
                context.AddFailure($"is '{size}', allowed are {HugepageSizes.TwoMi} and {HugepageSizes.OneGi}");
        });
        RuleFor(settings => settings.MemoryMiB).Custom((memory, context) => CheckMemory(memory, context.InstanceToValidate.HugepageSize, context));
        RuleFor(settings => settings.Image).Custom((image, context) =>
        {
            if (image is not null && !EnclaveImageFile.IsName(image))
                context.AddFailure($"is '{image}', allowed in this version is the name of an EIF in the EnclaveHost image, such as base.eif; leave it out for the installation's");
        });
        RuleFor(settings => settings.Ports).Custom((ports, context) => CheckPorts(ports, context));
        RuleFor(settings => settings.Logging!).SetValidator(new LoggingSettingsValidator()).When(settings => settings.Logging is not null);
        RuleForEach(settings => settings.PullSecrets).RequiredObjectName();
        RuleForEach(settings => settings.Secrets).NotNull().WithMessage("is null, allowed is {\"name\": …}").SetValidator(new SecretNeedValidator());
        RuleFor(settings => settings).Custom((settings, context) =>
        {
            var count = settings.PullSecrets.Count + (settings.Secrets?.Sum(need => need?.Keys?.Count ?? 1) ?? 0);
            if (count > MostItems)
                context.AddFailure(nameof(EnclaveSettings.Secrets), $"asks for {count} Secrets and keys together with pullSecrets, allowed are {MostItems}");
        });
    }

    private static void CheckMemory(long memory, string pages, ValidationContext<EnclaveSettings> context)
    {
        if (memory is < LeastMemory or > MostMemory)
            context.AddFailure($"is {memory}, allowed are {LeastMemory} to {MostMemory}");
        else if (pages is HugepageSizes.TwoMi or HugepageSizes.OneGi && memory % (HugepageSizes.Bytes(pages) >> 20) != 0)
            context.AddFailure($"is {memory}, no whole multiple of hugepageSize {pages}; change one of them");
    }

    private static void CheckPorts(IReadOnlyList<int> ports, ValidationContext<EnclaveSettings> context)
    {
        if (ports.Count > MostItems)
            context.AddFailure($"has {ports.Count} items, allowed are {MostItems}");
        var seen = new HashSet<int>();
        foreach (var port in ports.Take(MostItems))
        {
            if (port is < 1024 or > 65535)
                context.AddFailure($"has {port}, allowed are 1024 to 65535: EnclaveHost may not listen on lower ones");
            else if (port == EnclavePodTemplate.HttpPort)
                context.AddFailure($"has {port}, the port of EnclaveHost's own HTTP server; allowed are the ingressPorts of the manifest");
            else if (!seen.Add(port))
                context.AddFailure($"has {port} twice; remove one of them");
        }
    }
}

/// <summary>Where logs go.</summary>
internal sealed class LoggingSettingsValidator : AbstractValidator<LoggingSettings>
{
    public LoggingSettingsValidator()
    {
        RuleFor(logging => logging.Level).Level();
        RuleFor(logging => logging.OtlpEndpoint).CollectorUrl().When(logging => logging.OtlpEndpoint is not null);
        RuleFor(logging => logging.OtlpProtocol).OtlpProtocol();
        RuleFor(logging => logging.OtlpHeadersSecret).ObjectName();
    }
}

/// <summary>A Secret and its keys.</summary>
internal sealed class SecretNeedValidator : AbstractValidator<SecretNeed>
{
    public SecretNeedValidator()
    {
        RuleFor(need => need.Name).RequiredObjectName();
        RuleFor(need => need.Keys).Custom((keys, context) =>
        {
            if (keys is { Count: 0 })
                context.AddFailure("is empty, allowed are keys of the Secret; leave it out for all of them");
        });
        RuleForEach(need => need.Keys).DataKey();
    }
}
