namespace Enclaves.EnclaveHost.Eif.Commands;

/// <summary>
/// <c>enclave-host eif …</c>: what there is to do with enclave images apart from booting them. Exit codes: 0 done, 1 it cannot be done or a file is
/// not in order, 2 wrong arguments.
/// </summary>
internal static class EifCommand
{
    private const string Help = """
        usage: enclave-host eif build --kernel FILE --cmdline FILE|TEXT --ramdisk FILE [--ramdisk FILE…] --out FILE [OPTION…]
               enclave-host eif describe FILE
               enclave-host eif verify FILE [--certificate FILE]
               enclave-host eif extract FILE --out FOLDER

        Makes and reads enclave images in the Enclave Image Format (EIF).

        build      writes an image and prints its registers (PCR0, PCR1, PCR2, and PCR8 of a signed one) as JSON
          --kernel FILE                 the kernel: a bzImage (x86_64) or an Image (aarch64)
          --cmdline FILE|TEXT           its command line; the content of a file of that name where there is one
          --ramdisk FILE                an initramfs; the first counts for PCR1, further ones for PCR2
          --arch x86_64|aarch64         x86_64 unless given
          --name NAME, --version TEXT   what the metadata says of the image; not measured
          --metadata FILE               a JSON object, of at most 4096 bytes, that becomes part of the metadata
          --signing-certificate FILE    signs the image with ES384 (PEM, ECDSA on P-384)
          --private-key FILE            the key of that certificate (PEM)
          --out FILE                    the image
        The time in the metadata is SOURCE_DATE_EPOCH of the environment, 1970 unless given: the same input gives the same image,
        but for the signature.

        describe   prints what nitro-cli describe-eif prints; a wrong checksum or signature is told (CheckCRC, SignatureCheck)
        verify     ends with code 1 unless the checksum is right and the signature, where there is one, is valid
          --certificate FILE            … and is made with this certificate; without it anybody may have signed
        extract    writes kernel, cmdline and ramdisk-0, ramdisk-1, … into a folder

        Exit codes: 0 done, 1 it cannot be done or the image is not in order, 2 wrong arguments.
        """;

    public static int Run(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, TextWriter output, TextWriter error)
    {
        try
        {
            IReadOnlyList<string> rest = [.. arguments.Skip(1)];
            if (arguments.Count == 0 || arguments.Any(argument => argument is "--help" or "-h"))
            {
                (arguments.Count == 0 ? error : output).WriteLine(Help);
                return arguments.Count == 0 ? 2 : 0;
            }

            switch (arguments[0])
            {
                case "build":
                    BuildCommand.Run(rest, environment, output);
                    break;
                case "describe":
                    ReadCommands.Describe(rest, output);
                    break;
                case "verify":
                    ReadCommands.Verify(rest, output);
                    break;
                case "extract":
                    ReadCommands.Extract(rest, output);
                    break;
                default:
                    throw new UsageException($"'{arguments[0]}' is not one of build, describe, verify, extract");
            }

            return 0;
        }
        catch (UsageException e)
        {
            error.WriteLine($"enclave-host eif: {e.Message}; see enclave-host eif --help");
            return 2;
        }
        catch (EifException e)
        {
            error.WriteLine($"enclave-host eif: {e.Message}");
            return 1;
        }
    }
}
