namespace Enclaves.Tests.Enclave.Harness;

/// <summary>Where the programs under test are: beside the tests, or where the environment says (to test the published ones).</summary>
internal static class Programs
{
    public static string EnclaveHost => Find("ENCLAVES_HOST_PROGRAM", "enclave-host");

    public static string Orchestrator => Find("ENCLAVES_ORCHESTRATOR_PROGRAM", "orchestrator");

    public static string Plugin => Path.Combine(AppContext.BaseDirectory, "Plugin", "plugin.pl");

    private static string Find(string variable, string name)
    {
        var path = Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given ? given : Path.Combine(AppContext.BaseDirectory, name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing; build the solution, or set {variable}", path);
    }
}
