using System.Text.RegularExpressions;
using Enclaves.Api;

namespace Enclaves.Reconciler.Status;

/// <summary>The registers of an enclave image, SHA-384 in hexadecimal, as <c>enclave-host eif describe</c> and <c>nitro-cli describe-eif</c> tell them.</summary>
internal sealed record EnclaveImage
{
    /// <summary>Of the whole image.</summary>
    public string? Pcr0 { get; init; }

    /// <summary>Of its kernel, command line and first ramdisk.</summary>
    public string? Pcr1 { get; init; }

    /// <summary>Of its further ramdisks.</summary>
    public string? Pcr2 { get; init; }

    /// <summary>Of the certificate that it is signed with; absent for one that is not.</summary>
    public string? Pcr8 { get; init; }
}

/// <summary>The images that NEDs may name, by name, with the measurements that whoever released them has told.</summary>
internal sealed partial class EnclaveImages(IReadOnlyDictionary<string, EnclaveImage> byName)
{
    /// <summary>No image is known.</summary>
    public static readonly EnclaveImages None = new(new Dictionary<string, EnclaveImage>());

    /// <summary>Checks what was set.</summary>
    /// <exception cref="InvalidOperationException">A register is no SHA-384 in hexadecimal, or one of the first three is missing.</exception>
    public void Require()
    {
        foreach (var (name, image) in byName)
        {
            foreach (var (register, value) in Registers(image))
            {
                if (value is null ? register != "PCR8" : !Digest().IsMatch(value))
                    throw new InvalidOperationException($"--images:{name}:{register.ToLowerInvariant()} '{value}': 96 hexadecimal digits are needed, as enclave-host eif describe prints them");
            }
        }
    }

    /// <summary>The known registers of this image, or of the installation's own where a NED names none.</summary>
    public Dictionary<string, string> RegistersOf(string? name) =>
        byName.TryGetValue(name ?? NedDefaults.EnclaveImage, out var image)
            ? Registers(image).Where(register => register.Value is not null).ToDictionary(register => register.Name, register => register.Value!.ToLowerInvariant())
            : [];

    private static IEnumerable<(string Name, string? Value)> Registers(EnclaveImage image) =>
        [("PCR0", image.Pcr0), ("PCR1", image.Pcr1), ("PCR2", image.Pcr2), ("PCR8", image.Pcr8)];

    [GeneratedRegex(@"\A[0-9A-Fa-f]{96}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Digest();
}
