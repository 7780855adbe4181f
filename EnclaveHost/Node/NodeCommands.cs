using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Options;

namespace Enclaves.EnclaveHost.Node;

/// <summary>The commands that look at, and prepare, a node rather than run an enclave.</summary>
internal static class NodeCommands
{
    /// <summary>Says what the node has and lacks for an enclave of the size that the options give.</summary>
    /// <returns>0 where it lacks nothing, else 1.</returns>
    public static int Check(EnclaveOptions options, TextWriter output)
    {
        var findings = Look(options);
        foreach (var finding in findings)
            output.WriteLine(finding);
        return findings.All(finding => finding.Problem is null) ? 0 : 1;
    }

    /// <summary>What the machine that this process runs on has and lacks for an enclave of that size.</summary>
    public static IReadOnlyList<NodeFinding> Look(EnclaveOptions options) =>
        new NodeCheck("/", VsockSocket.Try, FindProgram).Look(options.CpuCount, options.MemoryMib, options.NitroCliPath);

    private static string? FindProgram(string name) => name.Contains('/')
        ? File.Exists(name) ? name : null
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
