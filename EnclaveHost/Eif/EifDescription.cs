using System.Text.Encodings.Web;
using System.Text.Json;
using Enclaves.EnclaveHost.Drivers;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>What <c>nitro-cli describe-eif</c> tells of an image, under the same names.</summary>
internal static class EifDescription
{
    /// <summary>JSON of an image; what is wrong with checksum and signature is told, not thrown.</summary>
    /// <exception cref="EifException">The file cannot be described.</exception>
    public static byte[] Of(EifImage image)
    {
        var findings = image.Examine();
        var metadata = image.Small(EifSectionType.Metadata) is { } section ? EifMetadata.Read(section, image.File) : null;
        using var output = new MemoryStream();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("EifVersion", image.Header.Version);
            Write(json, findings.Measurements);
            json.WriteBoolean("IsSigned", findings.Signature is not null);
            if (findings.Signature is { } signature)
                EifCertificateInfo.Write(json, "SigningCertificate", signature.Certificate, image.File);
            json.WriteBoolean("CheckCRC", findings.Crc == image.Header.Crc);
            if (findings.Signature is { } signed)
                json.WriteBoolean("SignatureCheck", signed.Problem(Convert.FromHexString(findings.Measurements.Pcr0)) is null);
            if (metadata is not null)
                Write(json, metadata);
            json.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
        return output.ToArray();
    }

    /// <summary>The registers, as the Nitro tools write them.</summary>
    public static void Write(Utf8JsonWriter json, ImageMeasurements measurements)
    {
        json.WriteStartObject("Measurements");
        json.WriteString("HashAlgorithm", "Sha384 { ... }");
        json.WriteString("PCR0", measurements.Pcr0);
        json.WriteString("PCR1", measurements.Pcr1);
        json.WriteString("PCR2", measurements.Pcr2);
        if (measurements.Pcr8 is { } certificate)
            json.WriteString("PCR8", certificate);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, EifMetadata metadata)
    {
        WriteText(json, "ImageName", metadata.ImageName);
        WriteText(json, "ImageVersion", metadata.ImageVersion);
        json.WriteStartObject("Metadata");
        WriteText(json, "BuildTime", metadata.BuildMetadata?.BuildTime);
        WriteText(json, "BuildTool", metadata.BuildMetadata?.BuildTool);
        WriteText(json, "BuildToolVersion", metadata.BuildMetadata?.BuildToolVersion);
        WriteText(json, "OperatingSystem", metadata.BuildMetadata?.OperatingSystem);
        WriteText(json, "KernelVersion", metadata.BuildMetadata?.KernelVersion);
        json.WritePropertyName("DockerInfo");
        if (metadata.DockerInfo is { } docker)
            docker.WriteTo(json);
        else
            json.WriteNullValue();
        // The fields of whoever built it stand beside the others.
        if (metadata.CustomMetadata is { ValueKind: JsonValueKind.Object } custom)
        {
            foreach (var field in custom.EnumerateObject())
                field.WriteTo(json);
        }

        json.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }
}
