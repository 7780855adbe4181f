using Enclaves.Orchestrator.Nsm;

namespace Enclaves.Orchestrator.Init;

/// <summary>Ends the enclave: the machine when this is PID 1, else the process.</summary>
internal static class PowerSwitch
{
    /// <summary>Whether this process is the machine's init.</summary>
    public static bool IsInit { get; } = Environment.ProcessId == 1;

    /// <summary>Ends at once; the reason is the last line on the console.</summary>
    public static void Off(string reason, int exitCode)
    {
        Console.Error.WriteLine($"orchestrator: ending the enclave: {reason}");
        if (IsInit)
        {
            Libc.Sync();
            // A Nitro Enclave has no ACPI to power it off: there a reset ends it.
            Libc.Check(Libc.Reboot(NsmDevice.IsThere ? Libc.RbAutoboot : Libc.RbPowerOff), "power off");
        }

        Environment.Exit(exitCode);
    }
}
