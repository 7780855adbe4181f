using System.Security.Cryptography;
using Enclaves.Channel;
using Enclaves.EnclaveHost.Drivers;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>
/// The registers of an image, from its sections in the order of the file. Each is a register that starts as zeros and is extended once, by the
/// SHA-384 of: 0 kernel, command line and all ramdisks; 1 the same with the first ramdisk alone; 2 the other ramdisks; 8 the signing certificate.
/// </summary>
internal sealed class EifMeasurement : IDisposable
{
    private readonly IncrementalHash _image = IncrementalHash.CreateHash(HashAlgorithmName.SHA384);
    private readonly IncrementalHash _application = IncrementalHash.CreateHash(HashAlgorithmName.SHA384);
    private byte[] _boot = [];
    private int _ramdisks;

    /// <summary>A section follows.</summary>
    public void Begin(EifSectionType type)
    {
        if (type != EifSectionType.Ramdisk)
            return;
        // Whatever comes after the first ramdisk is a ramdisk: see EifLayout.
        if (++_ramdisks == 2)
            _boot = _image.GetCurrentHash();
    }

    /// <summary>A part of its content.</summary>
    public void Append(EifSectionType type, ReadOnlySpan<byte> content)
    {
        if (type > EifSectionType.Ramdisk)
            return;
        _image.AppendData(content);
        if (type == EifSectionType.Ramdisk && _ramdisks > 1)
            _application.AppendData(content);
    }

    /// <summary>Register 0 as it is so far.</summary>
    public byte[] Pcr0() => PlatformRegister.ExtendedOnce(_image.GetCurrentHash());

    /// <summary>All of them, when every section has been appended.</summary>
    /// <param name="certificate">The signing certificate in DER form; null where the image is not signed.</param>
    public ImageMeasurements Finish(ReadOnlyMemory<byte>? certificate)
    {
        var image = _image.GetCurrentHash();
        return new ImageMeasurements(
            Hex(image), Hex(_ramdisks > 1 ? _boot : image), Hex(_application.GetCurrentHash()),
            certificate is { } der ? Hex(SHA384.HashData(der.Span)) : null);
    }

    public void Dispose()
    {
        _image.Dispose();
        _application.Dispose();
    }

    private static string Hex(byte[] digest) => Convert.ToHexStringLower(PlatformRegister.ExtendedOnce(digest));
}
