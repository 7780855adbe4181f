using System.Text.RegularExpressions;
using Enclaves.Api;
using FluentValidation;
using k8s.Models;

namespace Enclaves.Webhook.Validation;

/// <summary>A whole NitroEnclaveDeployment. Validity never depends on the state of other objects.</summary>
internal sealed partial class NedValidator : AbstractValidator<NitroEnclaveDeployment>
{
    // What the API server appends to a generateName.
    private const int GeneratedSuffix = 5;

    public NedValidator()
    {
        RuleFor(ned => ned.Metadata).Custom((metadata, context) => CheckName(metadata, context));
        RuleFor(ned => ned.Spec).Part(new SpecValidator());
        RuleFor(ned => ned).Custom((ned, context) => PluginListRules.Check(ned.Spec, context));
    }

    private static void CheckName(V1ObjectMeta? metadata, ValidationContext<NitroEnclaveDeployment> context)
    {
        if (metadata?.Name is { Length: > 0 } name)
        {
            if (name.Length > NedNames.MaxNameLength)
                context.AddFailure("Metadata.Name", $"'{name}' has {name.Length} characters, allowed are {NedNames.MaxNameLength}: the names of its children are longer");
            else if (!ServiceName().IsMatch(name))
                context.AddFailure("Metadata.Name", $"'{name}' cannot name a Service; allowed are lower-case letters, digits and '-', a letter first, no '-' last");
        }
        else if (metadata?.GenerateName is { } prefix && prefix.Length + GeneratedSuffix > NedNames.MaxNameLength)
        {
            context.AddFailure("Metadata.GenerateName", $"'{prefix}' has {prefix.Length} characters, allowed are {NedNames.MaxNameLength - GeneratedSuffix}");
        }
    }

    [GeneratedRegex(@"\A[a-z](?:[a-z0-9-]*[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex ServiceName();
}
