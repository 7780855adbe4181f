namespace Enclaves.Tests.Benchmarks.Boot;

/// <summary>A folder of our own with a short path, since a Unix socket's must be short; gone with its disposal.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("b").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
