using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>An enclave as answers name it.</summary>
internal abstract record NitroNamed
{
    [JsonPropertyName("EnclaveID")]
    public required string Id { get; init; }

    /// <summary>The enclave process, which holds the enclave: with it, the enclave ends.</summary>
    [JsonPropertyName("ProcessID")]
    public required int ProcessId { get; init; }

    [JsonPropertyName("EnclaveCID")]
    public required uint Cid { get; init; }
}

/// <summary>What <c>run-enclave</c> answers.</summary>
internal sealed record NitroRun : NitroNamed
{
    [JsonPropertyName("NumberOfCPUs")]
    public required int CpuCount { get; init; }

    /// <summary>May be more than was asked for.</summary>
    [JsonPropertyName("MemoryMiB")]
    public required int MemoryMib { get; init; }
}

/// <summary>One enclave of what <c>describe-enclaves</c> answers.</summary>
internal sealed record NitroDescription : NitroNamed
{
    /// <summary>RUNNING, TERMINATING or EMPTY.</summary>
    [JsonPropertyName("State")]
    public required string State { get; init; }

    /// <summary>NONE or DEBUG_MODE.</summary>
    [JsonPropertyName("Flags")]
    public required string Flags { get; init; }

    /// <summary>HashAlgorithm, and the registers of the image file as nitro-cli computes them from it. Older versions have none.</summary>
    [JsonPropertyName("Measurements")]
    public Dictionary<string, string>? Measurements { get; init; }

    [JsonIgnore]
    public bool IsRunning => State == "RUNNING";
}

/// <summary>What <c>terminate-enclave</c> answers.</summary>
internal sealed record NitroTermination
{
    [JsonPropertyName("EnclaveID")]
    public required string Id { get; init; }

    [JsonPropertyName("Terminated")]
    public required bool Terminated { get; init; }
}

/// <summary>
/// Reads the answers. Fields that are needed must be there, once, of their type and within their bounds; fields that are not known are a newer
/// nitro-cli's and passed over.
/// </summary>
internal static class NitroReplies
{
    private const int MaxExcerpt = 200;
    private const int MaxEnclaves = 64;

    public static NitroRun ReadRun(ReadOnlyMemory<byte> output)
    {
        var run = Read(output, "run-enclave", NitroJson.Default.NitroRun);
        CheckId(run.Id, output, "run-enclave");
        Check(run.Cid > 3 && run.ProcessId > 1 && run.CpuCount is > 0 and <= 4096 && run.MemoryMib > 0, output, "run-enclave", "a number is out of its range");
        return run;
    }

    public static IReadOnlyList<NitroDescription> ReadDescriptions(ReadOnlyMemory<byte> output)
    {
        var all = Read(output, "describe-enclaves", NitroJson.Default.ListNitroDescription);
        Check(all.Count <= MaxEnclaves, output, "describe-enclaves", "no node has so many enclaves");
        foreach (var enclave in all)
            CheckId(enclave.Id, output, "describe-enclaves");
        return all;
    }

    public static NitroTermination ReadTermination(ReadOnlyMemory<byte> output) => Read(output, "terminate-enclave", NitroJson.Default.NitroTermination);

    /// <summary>The registers of an image, checked; null where this nitro-cli tells none.</summary>
    public static ImageMeasurements? ReadMeasurements(NitroDescription enclave)
    {
        if (enclave.Measurements is not { } said)
            return null;
        var registers = ((string[])["PCR0", "PCR1", "PCR2"]).Select(name => said.GetValueOrDefault(name, "")).ToList();
        var signed = said.GetValueOrDefault("PCR8");
        foreach (var register in signed is null ? registers : [.. registers, signed])
        {
            if (register.Length != 96 || !register.All(char.IsAsciiHexDigitLower))
                throw new NitroException(
                    $"nitro-cli describe-enclaves tells measurements of {enclave.Id} that are none "
                    + $"('{Excerpt(Encoding.UTF8.GetBytes(register))}' is not SHA-384); to mend it: see that --nitro-cli is the real one");
        }

        return new ImageMeasurements(registers[0], registers[1], registers[2], signed);
    }

    private static T Read<T>(ReadOnlyMemory<byte> output, string command, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(output.Span, type) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw Garbage(output, command, e.Message, e);
        }
    }

    // It becomes an argument again, and part of what people are shown.
    private static void CheckId(string id, ReadOnlyMemory<byte> output, string command) =>
        Check(id.Length is > 0 and <= 128 && id[0] != '-' && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'), output, command, "EnclaveID is not one");

    private static void Check(bool holds, ReadOnlyMemory<byte> output, string command, string problem)
    {
        if (!holds)
            throw Garbage(output, command, problem, null);
    }

    private static NitroException Garbage(ReadOnlyMemory<byte> output, string command, string problem, Exception? inner) => new(
        $"nitro-cli {command} answered with something else than its JSON ({problem}): '{Excerpt(output.Span)}'; "
        + "to mend it: see that --nitro-cli is the real one and as new as this program",
        inner: inner);

    private static string Excerpt(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MaxExcerpt)]);
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
    }
}

/// <summary>Source-generated metadata: no reflection in a NativeAOT program.</summary>
[JsonSourceGenerationOptions(RespectNullableAnnotations = true, AllowDuplicateProperties = false, MaxDepth = 8)]
[JsonSerializable(typeof(NitroRun))]
[JsonSerializable(typeof(List<NitroDescription>))]
[JsonSerializable(typeof(NitroTermination))]
internal sealed partial class NitroJson : JsonSerializerContext;
