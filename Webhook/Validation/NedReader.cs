using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Enclaves.Api;
using Enclaves.Webhook.Review;
using k8s;

namespace Enclaves.Webhook.Validation;

/// <summary>
/// Reads a NED for the rules, which then need not expect a type that the schema does not allow, nor null as an item of a list. The API
/// server has checked the schema before; a review that comes from elsewhere, or before the CRD is upgraded, must not fail the rules.
/// </summary>
internal static class NedReader
{
    private const string WrongType = "does not have the type that the schema says; see kubectl explain ned --recursive";

    /// <summary>Reads the object.</summary>
    /// <param name="json">The object.</param>
    /// <param name="ned">What was read, when the answer is true.</param>
    /// <param name="unreadable">Why it cannot be read, when the answer is false.</param>
    public static bool TryRead(JsonElement json, [NotNullWhen(true)] out NitroEnclaveDeployment? ned, [NotNullWhen(false)] out AdmissionCause? unreadable)
    {
        ned = null;
        unreadable = NullItem(json.At("spec"), "spec");
        if (unreadable is not null)
            return false;
        try
        {
            ned = KubernetesJson.Deserialize<NitroEnclaveDeployment>(json);
            // An explicit null.
            ned.Metadata ??= new();
            return true;
        }
        catch (JsonException e)
        {
            unreadable = new AdmissionCause(e.Path is { Length: > 2 } path ? path[2..] : "object", WrongType);
        }
        catch (Exception e) when (e is NotSupportedException or FormatException)
        {
            // Converters of the client library, for a quantity, a time and the like, do not name the field.
            unreadable = new AdmissionCause("object", WrongType);
        }

        return false;
    }

    private static AdmissionCause? NullItem(JsonElement? value, string path)
    {
        switch (value?.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.Value.EnumerateObject())
                {
                    if (member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array && NullItem(member.Value, $"{path}.{member.Name}") is { } found)
                        return found;
                }

                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.Value.EnumerateArray())
                {
                    if (item.ValueKind == JsonValueKind.Null)
                        return new AdmissionCause(path, $"has an item that is null, the one with index {index}; allowed are values of the type that kubectl explain says");
                    if (item.ValueKind is JsonValueKind.Object or JsonValueKind.Array && NullItem(item, $"{path}[{index}]") is { } found)
                        return found;
                    index++;
                }

                break;
        }

        return null;
    }
}
