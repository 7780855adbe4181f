using System.Globalization;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>The process of nitro-cli that holds an enclave, as /proc shows it: a daemon, and no child of ours.</summary>
/// <remarks>
/// It outlives a SIGKILL of EnclaveHost where that is an ordinary process. In its container EnclaveHost is PID 1, whose end takes every process of
/// the namespace with it; the descriptor of the enclave is closed, and the kernel stops the enclave. As PID 1, .NET also collects its zombie.
/// </remarks>
internal sealed class EnclaveProcess
{
    private const int Rounds = 50;
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromMilliseconds(50);

    private readonly int _id;
    private readonly string _started;

    private EnclaveProcess(int id, string started)
    {
        _id = id;
        _started = started;
    }

    /// <summary>Whether it lives; a later process with the same number is another one.</summary>
    public bool IsAlive => StartOf(_id) == _started;

    /// <summary>The process of this id; null where there is none to be seen.</summary>
    public static EnclaveProcess? Find(int id) => StartOf(id) is { } started ? new EnclaveProcess(id, started) : null;

    /// <summary>Ends it, and with it the enclave.</summary>
    public void Kill()
    {
        if (IsAlive)
            _ = ProcessSignal.Send(_id, ProcessSignal.Kill);
    }

    /// <summary>
    /// Ends every process of a run-enclave with this enclave name: nitro-cli itself, and the enclave process that it left behind when it was cut
    /// off. That one has no socket yet by which it could be told, but its parent's arguments, since it was forked and not executed.
    /// </summary>
    /// <returns>How many.</returns>
    public static async Task<int> KillAllAsync(string enclaveName)
    {
        var killed = new HashSet<int>();
        // Until none is seen: a process that was about to fork may have done so in between.
        for (var round = 0; round < Rounds; round++)
        {
            var seen = WithEnclaveName(enclaveName).ToList();
            if (seen.Count == 0)
                break;
            foreach (var id in seen)
            {
                killed.Add(id);
                _ = ProcessSignal.Send(id, ProcessSignal.Kill);
            }

            await Task.Delay(BetweenRounds);
        }

        return killed.Count;
    }

    private static IEnumerable<int> WithEnclaveName(string name)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id == Environment.ProcessId)
                continue;
            var arguments = Read($"{folder}/cmdline")?.Split('\0') ?? [];
            var at = Array.IndexOf(arguments, "--enclave-name");
            if (at >= 0 && at + 1 < arguments.Length && arguments[at + 1] == name && arguments.Contains("run-enclave"))
                yield return id;
        }
    }

    // pid (name) state parent …, the time of the start in the 22nd field. The name may hold anything, so what follows its last parenthesis counts.
    private static string? StartOf(int id)
    {
        if (Read(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat")) is not { } stat)
            return null;
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 19 && fields[0] is not ("Z" or "X") ? fields[19] : null;
    }

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
