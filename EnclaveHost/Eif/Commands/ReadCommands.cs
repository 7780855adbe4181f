using System.Globalization;
using System.Text;

namespace Enclaves.EnclaveHost.Eif.Commands;

/// <summary><c>eif describe</c>, <c>eif verify</c> and <c>eif extract</c></summary>
internal static class ReadCommands
{
    public static void Describe(IReadOnlyList<string> arguments, TextWriter output)
    {
        using var image = EifImage.Open(new CommandArguments(arguments).Name("FILE"));
        output.Write(Encoding.UTF8.GetString(EifDescription.Of(image)));
    }

    public static void Verify(IReadOnlyList<string> arguments, TextWriter output)
    {
        var given = new CommandArguments(arguments, "certificate");
        using var image = EifImage.Open(given.Name("FILE"));
        using var expected = given.Optional("certificate") is { } path ? EifSigner.ReadCertificate(path) : null;
        var findings = image.Examine();
        EifVerifier.Check(image, findings);
        if (expected is not null && findings.Signature?.Certificate.RawDataMemory.Span.SequenceEqual(expected.RawDataMemory.Span) is not true)
        {
            throw new EifException(
                image.File, findings.Signature is null ? "is not signed" : $"is signed by {findings.Signature.Certificate.Subject}, with another certificate than the given one",
                "take an image that is signed with it");
        }

        output.WriteLine(findings.Signature switch
        {
            null => $"{image.File}: the checksum is right; it is not signed",
            { } signature when expected is null => $"{image.File}: the checksum is right, the signature is valid; signed by {signature.Certificate.Subject}, which only --certificate compares",
            _ => $"{image.File}: the checksum is right, the signature is that of the given certificate",
        });
    }

    public static void Extract(IReadOnlyList<string> arguments, TextWriter output)
    {
        var given = new CommandArguments(arguments, "out");
        using var image = EifImage.Open(given.Name("FILE"));
        var folder = given.Required("out");
        var files = new Dictionary<long, FileStream>();
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var (section, name) in Names(image))
                files[section.Offset] = new FileStream(Path.Combine(folder, name), FileMode.Create, FileAccess.Write);
            var findings = image.Examine((section, content) =>
            {
                if (files.TryGetValue(section.Offset, out var file))
                    file.Write(content);
            });
            EifVerifier.CheckCrc(image, findings);
            foreach (var file in files.Values)
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file.Name}: {file.Length} bytes"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EifException(folder, $"cannot be written: {e.Message}", "name a folder that is writable and has space", e);
        }
        finally
        {
            foreach (var file in files.Values)
                file.Dispose();
        }
    }

    private static IEnumerable<(EifSection Section, string Name)> Names(EifImage image)
    {
        var ramdisks = 0;
        foreach (var section in image.Sections)
        {
            if (section.Type == EifSectionType.Kernel)
                yield return (section, "kernel");
            else if (section.Type == EifSectionType.CommandLine)
                yield return (section, "cmdline");
            else if (section.Type == EifSectionType.Ramdisk)
                yield return (section, string.Create(CultureInfo.InvariantCulture, $"ramdisk-{ramdisks++}"));
        }
    }
}
