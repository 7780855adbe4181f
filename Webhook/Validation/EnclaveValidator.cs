using Enclaves.Api;
using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>spec.enclave: what a node can give an enclave.</summary>
internal sealed class EnclaveValidator : AbstractValidator<EnclaveSpec>
{
    private const long LeastMemory = 64L << 20;

    public EnclaveValidator()
    {
        RuleFor(enclave => enclave.CpuCount).Custom((count, context) =>
        {
            if (count is { } cpus && (cpus < 2 || cpus % 2 != 0))
                context.AddFailure($"{cpus} CPUs cannot be taken from a node, allowed is an even number from 2 on: an enclave takes full cores");
        });
        RuleFor(enclave => enclave.HugepageSize).Custom((size, context) =>
        {
            if (size is not (null or HugepageSizes.TwoMi or HugepageSizes.OneGi))
                context.AddFailure($"'{size}' is not a page size, allowed are {HugepageSizes.TwoMi} and {HugepageSizes.OneGi}");
        });
        RuleFor(enclave => enclave.Memory).Custom((memory, context) => CheckMemory(memory, context.InstanceToValidate.HugepageSize, context));
        RuleForEach(enclave => enclave.Registries).RegistryHost();
        RuleFor(enclave => enclave.Image).Custom((image, context) =>
        {
            if (image is null || EnclaveImageFile.IsName(image))
                return;
            if (!ImageReference.TryParse(image, out var reference, out _) || reference.Digest is null)
                context.AddFailure($"'{image}' is not an enclave image; allowed is the name of an EIF in the EnclaveHost image, such as base.eif, or an OCI reference with a digest");
        });
        RuleFor(enclave => enclave.DebugMode).Custom((debug, context) =>
        {
            if (debug == true)
                context.Warn("true makes every measurement zero and the console readable: attestation means nothing, never use it in production");
        });
    }

    private static void CheckMemory(string? memory, string? pages, ValidationContext<EnclaveSpec> context)
    {
        if (!MemoryQuantity.TryParse(memory ?? NedDefaults.Memory, out var bytes, out var problem))
        {
            context.AddFailure(problem);
            return;
        }

        pages ??= NedDefaults.HugepageSize(bytes);
        if (bytes < LeastMemory)
            context.AddFailure($"'{memory}' is too little for an enclave, allowed are 64Mi and more");
        else if (pages is HugepageSizes.TwoMi or HugepageSizes.OneGi && bytes % HugepageSizes.Bytes(pages) != 0)
            context.AddFailure($"'{memory}' is not a whole multiple of hugepageSize {pages}; allowed are multiples of it"
                + (pages == HugepageSizes.OneGi ? $", or set spec.enclave.hugepageSize to {HugepageSizes.TwoMi}" : ""));
    }
}
