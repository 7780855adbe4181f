using System.Runtime.InteropServices;

namespace Enclaves.Orchestrator.Init;

/// <summary>
/// Lets an ordinary Orchestrator end with the process that started it, also when that one is killed. The kernel's signal is bound to the
/// parent's thread, which may end long before the process: it only prompts a look at who the parent is now. SIGCONT, since
/// that is also heard by a process that is stopped.
/// </summary>
internal static class ParentWatch
{
    /// <summary>Calls <paramref name="orphaned"/> once the parent is gone. Keep the result alive.</summary>
    public static IDisposable Start(Action orphaned)
    {
        var parent = Libc.GetParentId();
        var registration = PosixSignalRegistration.Create((PosixSignal)Libc.Sigcont, context =>
        {
            context.Cancel = true;
            if (Libc.GetParentId() != parent)
                orphaned();
        });
        Libc.Check(Libc.Prctl(Libc.PrSetPdeathsig, Libc.Sigcont), "ask for a signal when the parent ends");
        // The parent may have ended before the request.
        if (Libc.GetParentId() != parent)
            orphaned();
        return registration;
    }
}
