using System.Runtime.InteropServices;

namespace Enclaves.EnclaveHost.Node;

/// <summary>
/// Keeps a seccomp profile on a node, where the kubelet looks for those of type Localhost, until it is asked to stop. Runs as a DaemonSet: a node that
/// joins later has it as soon as its pod runs, and enclave pods that came before are tried again by the kubelet.
/// </summary>
internal sealed class ProfileInstaller(string source, string destination, TextWriter output)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(30);

    /// <summary>Runs until SIGTERM or SIGINT.</summary>
    /// <returns>0, or 1 when it cannot be written; then the kubelet starts it again.</returns>
    public static async Task<int> RunAsync(string source, string destination, TextWriter output)
    {
        using var stop = new CancellationTokenSource();
        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        var installer = new ProfileInstaller(source, destination, output);
        try
        {
            using var timer = new PeriodicTimer(Look);
            do
            {
                installer.Install();
            }
            while (await timer.WaitForNextTickAsync(stop.Token));
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await output.WriteLineAsync($"{destination} cannot be written: {e.Message}; see that the pod mounts the kubelet's seccomp folder and may write there");
            return 1;
        }
    }

    /// <summary>Writes the profile where it is not there, or another one is. A reader never sees half of it.</summary>
    public void Install()
    {
        var wanted = File.ReadAllBytes(source);
        if (File.Exists(destination) && File.ReadAllBytes(destination).AsSpan().SequenceEqual(wanted))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(destination)!);
        var part = destination + ".part";
        File.WriteAllBytes(part, wanted);
        File.Move(part, destination, overwrite: true);
        output.WriteLine($"{destination} is written: {wanted.Length} bytes of {source}");
    }
}
