using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>The metadata section: who has built what. Nothing of it is measured, so nothing of it can be relied on.</summary>
internal sealed record EifMetadata
{
    public string? ImageName { get; init; }

    public string? ImageVersion { get; init; }

    public EifBuildMetadata? BuildMetadata { get; init; }

    // The Nitro tools refuse metadata in which one of these two is absent: null is written.
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public JsonElement? DockerInfo { get; init; }

    /// <summary>An object of whoever builds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public JsonElement? CustomMetadata { get; init; }

    /// <summary>Reads a section.</summary>
    /// <exception cref="EifException">It is not the JSON that the format has.</exception>
    public static EifMetadata Read(byte[] section, string file)
    {
        try
        {
            return JsonSerializer.Deserialize(section, EifMetadataJson.Relaxed.EifMetadata)
                ?? throw new EifException(file, "its metadata is null");
        }
        catch (JsonException e)
        {
            throw new EifException(file, $"its metadata is not the JSON of an enclave image: {e.Message}", inner: e);
        }
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, EifMetadataJson.Relaxed.EifMetadata);
}

/// <summary>How it was built.</summary>
internal sealed record EifBuildMetadata
{
    public string? BuildTime { get; init; }

    public string? BuildTool { get; init; }

    public string? BuildToolVersion { get; init; }

    public string? OperatingSystem { get; init; }

    public string? KernelVersion { get; init; }
}

[JsonSerializable(typeof(EifMetadata))]
internal sealed partial class EifMetadataJson : JsonSerializerContext
{
    /// <summary>A plus sign stays one: times have it.</summary>
    public static EifMetadataJson Relaxed { get; } = new(new JsonSerializerOptions
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
