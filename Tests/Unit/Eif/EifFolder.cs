using Enclaves.EnclaveHost.Eif;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>A folder with the parts of a small image.</summary>
internal sealed class EifFolder : IDisposable
{
    public const string Kernel = "the kernel";
    public const string CommandLine = "console=ttyS0 panic=-1";

    private readonly string _path = Directory.CreateTempSubdirectory("enclaves-eif-").FullName;

    public string Path(string name) => System.IO.Path.Combine(_path, name);

    public string File(string name, string content)
    {
        System.IO.File.WriteAllText(Path(name), content);
        return Path(name);
    }

    public EifRecipe Recipe(params string[] ramdisks) => new()
    {
        KernelPath = File("kernel", Kernel),
        CommandLine = CommandLine,
        RamdiskPaths = [.. ramdisks.Select((content, number) => File($"ramdisk{number}", content))],
        Metadata = new EifMetadata { ImageName = "small", ImageVersion = "1" }.ToBytes(),
    };

    /// <summary>Bytes of an image.</summary>
    public byte[] Build(EifRecipe? recipe = null)
    {
        EifWriter.Write(recipe ?? Recipe("first ramdisk"), Path("small.eif"));
        return System.IO.File.ReadAllBytes(Path("small.eif"));
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
