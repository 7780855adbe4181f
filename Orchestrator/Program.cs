using Enclaves.Orchestrator.Init;
using Enclaves.Orchestrator.Options;
using Enclaves.Orchestrator.Processes;

namespace Enclaves.Orchestrator;

/// <summary>The program inside the enclave: init of a machine of its own, or an ordinary process, or the launcher of one.</summary>
internal static class Program
{
    private const int UsageError = 64;
    private const int Failure = 1;

    public static async Task<int> Main(string[] args)
    {
        if (args is [ChildLauncher.Option, ..])
            return ChildLauncher.Run(args);
        try
        {
            if (PowerSwitch.IsInit)
                InitSystem.Run(args);
            var options = OrchestratorOptions.Parse(args, Environment.GetEnvironmentVariable, PowerSwitch.IsInit);
            var reason = await OrchestratorHost.RunAsync(options);
            PowerSwitch.Off(reason.Text, reason.ExitCode);
            return reason.ExitCode;
        }
        catch (FormatException e) when (!PowerSwitch.IsInit)
        {
            Console.Error.WriteLine($"orchestrator: {e.Message}");
            return UsageError;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine(e);
            PowerSwitch.Off($"{e.GetType().Name}: {e.Message}", Failure);
            return Failure;
        }
    }
}
