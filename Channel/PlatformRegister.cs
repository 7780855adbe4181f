using System.Security.Cryptography;

namespace Enclaves.Channel;

/// <summary>
/// A register (PCR) of a Nitro Security Module: 48 zero bytes at first, and SHA-384 of its value and the data with each extension
/// (AWS Nitro Enclaves user guide, "Cryptographic attestation").
/// </summary>
public static class PlatformRegister
{
    /// <summary>The value of one that was extended once.</summary>
    public static byte[] ExtendedOnce(ReadOnlySpan<byte> data) => SHA384.HashData([.. new byte[SHA384.HashSizeInBytes], .. data]);
}
