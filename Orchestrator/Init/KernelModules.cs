using System.Runtime.InteropServices;

namespace Enclaves.Orchestrator.Init;

/// <summary>Loads the modules that the image names.</summary>
internal static class KernelModules
{
    private const string ListFile = "/etc/enclave/modules";

    /// <summary>
    /// Loads them in the order of the list, one a line: the module's file and its parameters. A module that the machine has no use
    /// for (there is no NSM in a plain virtual machine) is reported and passed over; what then is missing fails by its own name.
    /// </summary>
    public static void LoadAll(Action<string> report)
    {
        if (!File.Exists(ListFile))
            return;
        foreach (var line in File.ReadLines(ListFile))
        {
            var text = line.Trim();
            if (text.Length == 0 || text[0] == '#')
                continue;
            var parts = text.Split(' ', 2);
            try
            {
                Load(parts[0], parts.Length == 2 ? parts[1] : "");
            }
            catch (IOException e)
            {
                report(e.Message);
            }
        }
    }

    private static void Load(string path, string parameters)
    {
        using var file = File.OpenHandle(path);
        if (Libc.FinitModule(file, parameters) < 0 && Marshal.GetLastPInvokeError() != Libc.Eexist)
            throw new IOException($"module {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
