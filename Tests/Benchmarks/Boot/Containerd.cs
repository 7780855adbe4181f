using System.Diagnostics;
using Enclaves.Tests.Benchmarks.Reconcile;

namespace Enclaves.Tests.Benchmarks.Boot;

/// <summary>
/// A containerd with everything of its own: folders, mounts and processes. Its process namespace ends with it, and every container, shim and
/// Orchestrator in there.
/// </summary>
internal sealed class Containerd : IAsyncDisposable
{
    private const string PauseImage = "enclaves.local/pause:1";

    // These are private, since runc, the shims, the Orchestrator and a kubelet have fixed places there.
    private const string Inside = """
        set -e
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /var/log
        mount -t tmpfs tmpfs /var/lib
        exec containerd --config "$1/containerd.toml"
        """;

    private readonly Daemon _process;
    private int _inside;

    private Containerd(string folder, Daemon process) => (Folder, _process) = (folder, process);

    /// <summary>Where it keeps what it has, and what runs beside it may.</summary>
    public string Folder { get; }

    /// <summary>Its Unix socket, the same inside and outside of the namespaces.</summary>
    public string Socket => Path.Combine(Folder, "containerd.sock");

    /// <summary>Starts one that has the image of a sandbox.</summary>
    /// <param name="folder">For its files.</param>
    /// <param name="archive">The image, as an archive.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static async Task<Containerd> Start(string folder, string archive, CancellationToken cancellation)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "containerd.toml"), $"""
            version = 2
            root = "{folder}/root"
            state = "/run/containerd"
            # It would make /opt/containerd on the machine.
            disabled_plugins = ["io.containerd.internal.v1.opt"]
            [grpc]
              address = "{folder}/containerd.sock"
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "{PauseImage}"
              # Without CAP_SYS_RESOURCE a sandbox could not lower its score and would fail.
              restrict_oom_score_adj = true
            """, cancellation);
        var process = await Daemon.Start(folder, "containerd",
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", Inside, "sh", folder);
        var containerd = new Containerd(folder, process);
        try
        {
            await process.Until("serving", async () => await containerd.Ctr(["version"], cancellation) == 0, cancellation);
            containerd._inside = ProcessFacts.OnlyChild(process.Id);
            if (await containerd.Ctr(["images", "import", "--base-name", PauseImage.Split(':')[0], archive], cancellation) != 0)
                throw new InvalidOperationException("ctr could not import the image of the sandbox");
            return containerd;
        }
        catch
        {
            await containerd.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs ctr against it; its exit code.</summary>
    public async Task<int> Ctr(string[] arguments, CancellationToken cancellation)
    {
        using var ctr = Process.Start(new ProcessStartInfo("ctr", ["--address", Socket, "--namespace", "k8s.io", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await Task.WhenAll(ctr.StandardOutput.ReadToEndAsync(cancellation), ctr.StandardError.ReadToEndAsync(cancellation), ctr.WaitForExitAsync(cancellation));
        return ctr.ExitCode;
    }

    /// <summary>Starts a program in its namespaces; the process is that of the nsenter that waits for it, and the program ends with the namespaces.</summary>
    public Task<Daemon> StartInside(string name, string program, params IEnumerable<string> arguments) =>
        Daemon.Start(Folder, name, "nsenter", ["--target", $"{_inside}", "--mount", "--pid", "--", program, .. arguments]);

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
