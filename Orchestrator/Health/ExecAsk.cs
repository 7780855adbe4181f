using System.Globalization;
using Enclaves.Orchestrator.Containers;

namespace Enclaves.Orchestrator.Health;

/// <summary>Succeeds when a command in the container exits with 0.</summary>
/// <param name="runtime">Runs it.</param>
/// <param name="id">The running container.</param>
/// <param name="command">Program and arguments.</param>
internal sealed class ExecAsk(IContainerRuntime runtime, string id, IReadOnlyList<string> command) : IProbeAsk
{
    private const int MostOutput = 256;

    public async Task<ProbeResult> AskAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        try
        {
            var result = await runtime.ExecAsync(id, command, timeout, cancellation);
            if (result.ExitCode == 0)
                return ProbeResult.Success;
            var output = result.Output.Trim();
            var told = output.Length > MostOutput ? output[..MostOutput] : output;
            return ProbeResult.Failure(string.Create(CultureInfo.InvariantCulture, $"{command[0]} exited with {result.ExitCode}{(told.Length > 0 ? ": " : "")}{told}"));
        }
        catch (TimeoutException)
        {
            return ProbeResult.Failure(string.Create(CultureInfo.InvariantCulture, $"{command[0]} did not end within {timeout.TotalSeconds} s"));
        }
        catch (ContainerRuntimeException e)
        {
            return ProbeResult.Unknown(e.Message);
        }
    }
}
