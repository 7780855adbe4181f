using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Enclaves.Api;
using Enclaves.Webhook.Review;
using k8s;
using k8s.Models;

namespace Enclaves.Webhook.Validation;

/// <summary>
/// Reads a NED for the rules, which then need not expect a type that the schema does not allow, nor null as an item of a list. The API
/// server has checked the schema before; a review that comes from elsewhere, or before the CRD is upgraded, must not fail the rules.
/// </summary>
internal static class NedReader
{
    private const string Schema = "Schema";
    private const string WrongType = "does not have the type that the schema says; see kubectl explain ned --recursive";

    // Far more than any manifest has room for. Read and refused, an item of a few bytes costs a thousand: its object, and messages with paths.
    private const int MaxItems = 20_000;

    /// <summary>Reads name, namespace, labels, annotations and spec. The spec is null where the object has none.</summary>
    /// <param name="json">The object.</param>
    /// <param name="ned">What was read, when the answer is true.</param>
    /// <param name="unreadable">Why it cannot be read, when the answer is false.</param>
    public static bool TryRead(JsonElement json, [NotNullWhen(true)] out NitroEnclaveDeployment? ned, [NotNullWhen(false)] out AdmissionCause? unreadable)
    {
        (ned, unreadable) = (null, null);
        if (json.At("spec") is { } whole && JsonMarshal.GetRawUtf8Value(whole).Length > MaxItems && Items(whole) is var items and > MaxItems)
        {
            unreadable = new AdmissionCause("spec", string.Create(CultureInfo.InvariantCulture, $"has {items} items in its lists, allowed are {MaxItems}")) { Reason = Schema };
            return false;
        }

        if (json.At("spec") is { } spec && PathOfNullItem(spec) is { } list)
        {
            unreadable = new AdmissionCause($"spec{list}", "has an item that is null, allowed are items of the type that the schema says") { Reason = Schema };
            return false;
        }

        try
        {
            var read = KubernetesJson.Deserialize<RuledObject>(json);
            ned = new NitroEnclaveDeployment
            {
                Metadata = new V1ObjectMeta
                {
                    Name = read.Metadata?.Name,
                    GenerateName = read.Metadata?.GenerateName,
                    NamespaceProperty = read.Metadata?.Namespace,
                    Labels = read.Metadata?.Labels,
                    Annotations = read.Metadata?.Annotations,
                },
                Spec = read.Spec!,
            };
            return true;
        }
        catch (JsonException e)
        {
            unreadable = new AdmissionCause(e.Path is { Length: > 2 } path ? path[2..] : "object", WrongType) { Reason = Schema };
        }
        catch (Exception e) when (e is NotSupportedException or FormatException)
        {
            // Converters of the client library, for a quantity, a time and the like, do not name the field.
            unreadable = new AdmissionCause("object", WrongType) { Reason = Schema };
        }

        return false;
    }

    private static int Items(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Sum(member => Items(member.Value)),
        JsonValueKind.Array => value.GetArrayLength() + value.EnumerateArray().Sum(Items),
        _ => 0,
    };

    // The path is put together on the way back, of which there is none where nothing is found.
    private static string? PathOfNullItem(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    if (PathOfNullItem(member.Value) is { } below)
                        return $".{member.Name}{below}";
                }

                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray())
                {
                    if (item.ValueKind == JsonValueKind.Null)
                        return "";
                    if (PathOfNullItem(item) is { } below)
                        return $"[{index}]{below}";
                    index++;
                }

                break;
        }

        return null;
    }

    /// <summary>What rules look at: not the status, nor the managed fields, which are most of many objects.</summary>
    private sealed class RuledObject
    {
        [JsonPropertyName("metadata")]
        public RuledMetadata? Metadata { get; init; }

        [JsonPropertyName("spec")]
        public NitroEnclaveDeploymentSpec? Spec { get; init; }
    }

    private sealed class RuledMetadata
    {
        [JsonPropertyName("name")]
        public string? Name { get; init; }

        [JsonPropertyName("generateName")]
        public string? GenerateName { get; init; }

        [JsonPropertyName("namespace")]
        public string? Namespace { get; init; }

        [JsonPropertyName("labels")]
        public Dictionary<string, string>? Labels { get; init; }

        [JsonPropertyName("annotations")]
        public Dictionary<string, string>? Annotations { get; init; }
    }
}
