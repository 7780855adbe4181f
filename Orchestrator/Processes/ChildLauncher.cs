using System.Globalization;
using System.Runtime.InteropServices;
using Enclaves.Orchestrator.Init;

namespace Enclaves.Orchestrator.Processes;

/// <summary>
/// The program in its second role: <c>orchestrator --launch &lt;parent&gt; &lt;program&gt; [argument…]</c> ties itself to the parent's life and becomes
/// the program. Between fork and exec there is no place for that when posix_spawn does both.
/// </summary>
internal static class ChildLauncher
{
    public const string Option = "--launch";

    private const int ParentGone = 125;
    private const int NotExecutable = 126;

    /// <summary>The arguments that make the launcher start a program.</summary>
    public static IReadOnlyList<string> Arguments(string program, IEnumerable<string> arguments) =>
        ["orchestrator", Option, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), program, .. arguments];

    /// <summary>Becomes the program; returns an exit code only when that failed.</summary>
    public static int Run(ReadOnlySpan<string> args)
    {
        if (args.Length < 3 || !int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out var parent))
        {
            Console.Error.WriteLine($"usage: orchestrator {Option} <parent's process id> <program> [argument…]");
            return NotExecutable;
        }

        Libc.Check(Libc.Prctl(Libc.PrSetPdeathsig, Libc.Sigkill), "tie the process to its parent");
        if (Libc.GetParentId() != parent)
            return ParentGone;
        using var argv = new NativeStrings(args[2..].ToArray());
        using var envp = new NativeStrings(Variables());
        Libc.Execve(args[2], argv.Pointer, envp.Pointer);
        // Read before the console is touched, which makes calls of its own.
        var reason = Marshal.GetLastPInvokeErrorMessage();
        Console.Error.WriteLine($"start {args[2]}: {reason}");
        return NotExecutable;
    }

    /// <summary>This process's environment in the form that execve takes.</summary>
    public static IReadOnlyList<string> Variables()
    {
        var variables = new List<string>();
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
            variables.Add($"{entry.Key}={entry.Value}");
        return variables;
    }
}
