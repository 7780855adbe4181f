namespace Enclaves.Tests.Cluster;

internal static class ReconcilerArguments
{
    /// <summary>
    /// Turns the jobs off where a test says nothing of them: most are about what must be right without jobs, and start the sooner for it.
    /// </summary>
    public static string[] Jobs(IEnumerable<string> arguments) =>
        arguments.Any(argument => argument.StartsWith("--jobs:", StringComparison.Ordinal)) ? [] : ["--jobs:enabled", "false"];
}
