using System.Diagnostics;

namespace Enclaves.Tests.Benchmarks.Admission;

/// <summary>A temporary folder with an authority of its own and a certificate for the loopback; gone when disposed.</summary>
internal sealed class CertificateFolder : IDisposable
{
    private CertificateFolder(string folder) => Folder = folder;

    /// <summary>Root of the repository that this program was built in.</summary>
    public static string Repository { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.Parent!.Parent!.FullName;

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>PEM file of the authority.</summary>
    public string Authority => Path.Combine(Folder, "ca.crt");

    /// <summary>PEM file of the certificate.</summary>
    public string Certificate => Path.Combine(Folder, "server.crt");

    /// <summary>PEM file of its key.</summary>
    public string Key => Path.Combine(Folder, "server.key");

    /// <summary>Makes the folder by <c>certs/dev-ca</c>.</summary>
    public static async Task<CertificateFolder> Create()
    {
        var folder = new CertificateFolder(Directory.CreateTempSubdirectory("enclaves-bench-").FullName);
        try
        {
            await Certify("ca", folder.Folder);
            await Certify("leaf", folder.Folder, "server", "127.0.0.1", "localhost");
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static async Task Certify(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(Repository, "certs", "dev-ca"), arguments) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"certs/dev-ca {string.Join(' ', arguments)}: exit {process.ExitCode}: {errors}");
    }
}
