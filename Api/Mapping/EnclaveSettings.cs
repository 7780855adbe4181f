using System.Text.Json;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>
/// All that injection needs of a NitroEnclaveDeployment, with every default resolved: the JSON of the pod annotation
/// <see cref="NedAnnotations.Enclave"/>. The Reconciler writes it, the pod webhook reads it and asks nobody. A spec must give the same
/// text in every version that can run it: another one rolls every enclave of the cluster.
/// </summary>
public sealed record EnclaveSettings
{
    /// <summary>CPUs of the enclave.</summary>
    public required int CpuCount { get; init; }

    /// <summary>Memory of the enclave in MiB, a whole multiple of the page size.</summary>
    public required long MemoryMiB { get; init; }

    /// <summary>One of <see cref="HugepageSizes"/>.</summary>
    public required string HugepageSize { get; init; }

    /// <summary>Name or reference of the enclave image; null means the installation's.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Image { get; init; }

    /// <summary>Ingress ports of the pod, in order.</summary>
    public required IReadOnlyList<int> Ports { get; init; }

    /// <summary>Names of the Secrets that the plugins' images are pulled with, each once, sorted.</summary>
    public required IReadOnlyList<string> PullSecrets { get; init; }

    /// <summary>Further Secrets that the enclave needs; null where there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<SecretNeed>? Secrets { get; init; }

    /// <summary>Whether the enclave runs in debug mode.</summary>
    public required bool DebugMode { get; init; }

    /// <summary>Where its logs go beside the pod's log, and which; null for the default.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public LoggingSettings? Logging { get; init; }

    /// <summary>The settings of a spec.</summary>
    /// <exception cref="NedSpecException">A field cannot be mapped; the message has its path.</exception>
    public static EnclaveSettings Of(NitroEnclaveDeploymentSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var enclave = spec.Enclave ?? new EnclaveSpec();
        if (!MemoryQuantity.TryParse(enclave.Memory ?? NedDefaults.Memory, out var memory, out var problem))
            throw new NedSpecException("spec.enclave.memory", problem);
        var pages = enclave.HugepageSize ?? NedDefaults.HugepageSize(memory);
        if (pages is not (HugepageSizes.TwoMi or HugepageSizes.OneGi))
            throw new NedSpecException("spec.enclave.hugepageSize", $"'{pages}', allowed are {HugepageSizes.TwoMi} and {HugepageSizes.OneGi}");
        if (memory <= 0 || memory % HugepageSizes.Bytes(pages) != 0)
            throw new NedSpecException("spec.enclave.memory", $"'{enclave.Memory}' is not a whole multiple of the page size {pages}");
        return new EnclaveSettings
        {
            CpuCount = enclave.CpuCount ?? NedDefaults.CpuCount,
            MemoryMiB = memory >> 20,
            HugepageSize = pages,
            Image = enclave.Image,
            Ports = [.. ExposedPort.Of(spec).Select(port => port.IngressPort)],
            PullSecrets = [.. new SortedSet<string>(NedPlugin.Of(spec).Select(plugin => plugin.ImagePullSecret).OfType<string>(), StringComparer.Ordinal)],
            Secrets = SecretNeed.Of(spec) is { Count: > 0 } needs ? needs : null,
            DebugMode = enclave.DebugMode ?? false,
            Logging = LoggingSettings.Of(spec.Logging),
        };
    }

    /// <summary>The annotation's value.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, EnclaveSettingsJson.Default.EnclaveSettings);

    /// <summary>Reads the annotation's value.</summary>
    /// <exception cref="JsonException">The text is not the JSON of settings: a member is missing, unknown or of another type.</exception>
    public static EnclaveSettings FromJson(string json) =>
        JsonSerializer.Deserialize(json, EnclaveSettingsJson.Default.EnclaveSettings) ?? throw new JsonException("null, an object is required");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    // A newer Reconciler may ask for what this injector cannot do: refusing is safe, leaving it out in silence is not.
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(EnclaveSettings))]
internal sealed partial class EnclaveSettingsJson : JsonSerializerContext;
