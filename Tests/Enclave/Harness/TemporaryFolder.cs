namespace Enclaves.Tests.Enclave.Harness;

/// <summary>A folder of our own with a short path, since a Unix socket's must be short; gone with its disposal.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("e").FullName;

    public void Dispose()
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 100)
            {
                // What was killed a moment ago may have been about to write.
                Thread.Sleep(20);
            }
        }
    }
}
