using System.Text;

namespace Enclaves.EnclaveHost.Eif;

/// <summary>What an image is made of.</summary>
internal sealed record EifRecipe
{
    public required string KernelPath { get; init; }

    /// <summary>The kernel's command line.</summary>
    public required string CommandLine { get; init; }

    /// <summary>In the order in which the kernel unpacks them.</summary>
    public required IReadOnlyList<string> RamdiskPaths { get; init; }

    public bool IsArm64 { get; init; }

    /// <summary>Content of the metadata section.</summary>
    public required byte[] Metadata { get; init; }

    /// <summary>Null for an image without a signature.</summary>
    public EifSigner? Signer { get; init; }

    /// <summary>The command line as it is written: without a NUL behind it.</summary>
    /// <exception cref="EifException">A kernel cannot have it.</exception>
    public byte[] CommandLineBytes()
    {
        var bytes = Encoding.UTF8.GetBytes(CommandLine);
        if (bytes.Length > EifFormat.MaxCommandLine)
            throw new EifException("the command line", $"has {bytes.Length} bytes, allowed are {EifFormat.MaxCommandLine}", "shorten it");
        if (bytes.AsSpan().IndexOfAnyInRange((byte)0, (byte)31) >= 0)
            throw new EifException("the command line", "holds a control character", "write it in one line of plain text");
        return bytes;
    }
}
