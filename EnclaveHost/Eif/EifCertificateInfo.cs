using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>What <c>describe-eif</c> tells of a signing certificate: names and times in the words of OpenSSL.</summary>
internal static class EifCertificateInfo
{
    private static readonly Dictionary<string, string> LongNames = new(StringComparer.Ordinal)
    {
        ["2.5.4.3"] = "commonName",
        ["2.5.4.5"] = "serialNumber",
        ["2.5.4.6"] = "countryName",
        ["2.5.4.7"] = "localityName",
        ["2.5.4.8"] = "stateOrProvinceName",
        ["2.5.4.10"] = "organizationName",
        ["2.5.4.11"] = "organizationalUnitName",
        ["1.2.840.113549.1.9.1"] = "emailAddress",
        ["0.9.2342.19200300.100.1.25"] = "domainComponent",
        ["1.2.840.10045.4.3.2"] = "ecdsa-with-SHA256",
        ["1.2.840.10045.4.3.3"] = "ecdsa-with-SHA384",
        ["1.2.840.10045.4.3.4"] = "ecdsa-with-SHA512",
        ["1.2.840.113549.1.1.11"] = "sha256WithRSAEncryption",
        ["1.2.840.113549.1.1.12"] = "sha384WithRSAEncryption",
        ["1.2.840.113549.1.1.13"] = "sha512WithRSAEncryption",
    };

    /// <exception cref="EifException">What it says cannot be told.</exception>
    public static void Write(Utf8JsonWriter json, string name, X509Certificate2 certificate, string file)
    {
        try
        {
            Write(json, name, certificate);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            throw new EifException(file, $"its signing certificate cannot be described: {e.Message}", "sign it again", e);
        }
    }

    private static void Write(Utf8JsonWriter json, string name, X509Certificate2 certificate)
    {
        json.WriteStartObject(name);
        json.WriteStartObject("IssuerName");
        foreach (var (key, value) in Names(certificate.IssuerName.RawData))
            json.WriteString(key, value);
        json.WriteEndObject();
        json.WriteString("Algorithm", LongName(certificate.SignatureAlgorithm.Value ?? ""));
        json.WriteString("NotBefore", Time(certificate.NotBefore));
        json.WriteString("NotAfter", Time(certificate.NotAfter));
        json.WriteString("Signature", string.Join(':', Signature(certificate.RawData).Select(value => value.ToString("X2", CultureInfo.InvariantCulture))));
        json.WriteEndObject();
    }

    // A name is a list of sets of pairs; of a type that is there twice the last counts.
    private static SortedDictionary<string, string> Names(byte[] name)
    {
        var names = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var sets = new AsnReader(name, AsnEncodingRules.BER).ReadSequence();
        while (sets.HasData)
        {
            var pairs = sets.ReadSetOf(skipSortOrderValidation: true);
            while (pairs.HasData)
            {
                var pair = pairs.ReadSequence();
                names[LongName(pair.ReadObjectIdentifier())] = Text(pair);
            }
        }

        return names;
    }

    private static string Text(AsnReader reader)
    {
        var tag = reader.PeekTag();
        return tag is { TagClass: TagClass.Universal, TagValue: (int)UniversalTagNumber.UTF8String or (int)UniversalTagNumber.PrintableString
            or (int)UniversalTagNumber.IA5String or (int)UniversalTagNumber.T61String or (int)UniversalTagNumber.BMPString }
            ? reader.ReadCharacterString((UniversalTagNumber)tag.TagValue)
            : Convert.ToHexString(reader.ReadEncodedValue().Span);
    }

    // The last field of a certificate.
    private static byte[] Signature(byte[] certificate)
    {
        var fields = new AsnReader(certificate, AsnEncodingRules.BER).ReadSequence();
        fields.ReadEncodedValue();
        fields.ReadEncodedValue();
        return fields.ReadBitString(out _);
    }

    private static string LongName(string identifier) => LongNames.GetValueOrDefault(identifier, identifier);

    // As OpenSSL prints it: Nov  7 12:00:00 2026 GMT.
    private static string Time(DateTime time)
    {
        var utc = time.ToUniversalTime();
        return string.Create(CultureInfo.InvariantCulture, $"{utc:MMM} {utc.Day,2} {utc:HH:mm:ss yyyy} GMT");
    }
}
