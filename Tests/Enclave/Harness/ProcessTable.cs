using System.Globalization;
using System.Runtime.InteropServices;

namespace Enclaves.Tests.Enclave.Harness;

/// <summary>A process of one test, found by the marker in its environment, which children inherit and orphans keep.</summary>
internal sealed record TestProcess(int Id, int Parent, string Name, char State);

/// <summary>The processes of this machine as /proc shows them.</summary>
internal static partial class ProcessTable
{
    public const string Marker = "ENCLAVES_TEST_ID";
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    /// <summary>The living processes with this marker; zombies have no environment any more and are not among them.</summary>
    public static IReadOnlyList<TestProcess> Of(string marker)
    {
        var found = new List<TestProcess>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                if (File.ReadAllText($"{folder}/environ").Split('\0').Contains($"{Marker}={marker}"))
                    found.Add(Describe(id, File.ReadAllText($"{folder}/stat")));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended between the listing and the reading.
            }
        }

        return found;
    }

    public static void Signal(int process, int signal)
    {
        if (Kill(process, signal) != 0)
            throw new InvalidOperationException($"cannot send signal {signal} to process {process}: error {Marshal.GetLastPInvokeError()}");
    }

    // pid (name) state parent …: the name may hold spaces and parentheses, so what follows its last one counts.
    private static TestProcess Describe(int id, string stat)
    {
        var open = stat.IndexOf('(', StringComparison.Ordinal);
        var close = stat.LastIndexOf(')');
        var rest = stat[(close + 2)..].Split(' ');
        return new TestProcess(id, int.Parse(rest[1], CultureInfo.InvariantCulture), stat[(open + 1)..close], rest[0][0]);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
