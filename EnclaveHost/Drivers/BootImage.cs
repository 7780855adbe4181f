using System.Text;
using Enclaves.EnclaveHost.Eif;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>
/// An enclave image, unpacked for a virtual machine: the very bytes that were measured. They are in memory rather than in a folder, so that
/// nothing of them is left behind and nobody changes them in between.
/// </summary>
internal sealed class BootImage : IDisposable
{
    private readonly MemoryFile _kernel;
    private readonly MemoryFile _ramdisk;

    private BootImage(MemoryFile kernel, MemoryFile ramdisk, string commandLine, ImageMeasurements measurements)
    {
        _kernel = kernel;
        _ramdisk = ramdisk;
        CommandLine = commandLine;
        Measurements = measurements;
    }

    public string KernelPath => _kernel.Path;

    /// <summary>All ramdisks behind each other, as a boot loader puts them into memory.</summary>
    public string RamdiskPath => _ramdisk.Path;

    public string CommandLine { get; }

    public ImageMeasurements Measurements { get; }

    /// <summary>Reads an image once: checks, measures and unpacks it.</summary>
    /// <exception cref="EnclaveStartException">It is not in order, or not for this machine.</exception>
    public static BootImage Load(string path, CancellationToken cancellation)
    {
        MemoryFile? kernel = null, ramdisk = null;
        try
        {
            using var image = EifImage.Open(path);
            if (image.Header.IsArm64)
                throw new EifException(path, "is for aarch64, and the virtual machine is x86_64", "take an image for x86_64");
            (kernel, ramdisk) = (new MemoryFile("enclave-kernel"), new MemoryFile("enclave-ramdisk"));
            using var commandLine = new MemoryStream();
            var findings = image.Examine(
                (section, content) =>
                {
                    if (section.Type == EifSectionType.Kernel)
                        kernel.Write(content);
                    else if (section.Type == EifSectionType.Ramdisk)
                        ramdisk.Write(content);
                    else if (section.Type == EifSectionType.CommandLine)
                        commandLine.Write(content);
                },
                cancellation);
            EifVerifier.Check(image, findings);
            // Some tools put the NUL of a C string behind it.
            var text = Encoding.UTF8.GetString(commandLine.ToArray()).TrimEnd('\0');
            var loaded = new BootImage(kernel, ramdisk, text, findings.Measurements);
            (kernel, ramdisk) = (null, null);
            return loaded;
        }
        catch (EifException e)
        {
            throw new EnclaveStartException($"the enclave image cannot be booted: {e.Message} (option --image)", e);
        }
        catch (IOException e)
        {
            throw new EnclaveStartException($"the enclave image {path} cannot be unpacked into memory: {e.Message}; give the container more of it", e);
        }
        finally
        {
            kernel?.Dispose();
            ramdisk?.Dispose();
        }
    }

    public void Dispose()
    {
        _kernel.Dispose();
        _ramdisk.Dispose();
    }
}
