using System.Globalization;
using Enclaves.EnclaveHost.Options;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>What an enclave is made of.</summary>
internal sealed record NitroRequest(string Name, uint Cid, string ImagePath, int CpuCount, int MemoryMib, bool Debug);

/// <summary>
/// The commands of nitro-cli, each with a deadline and bounded output. JSON comes on standard output, progress and errors on standard error.
/// </summary>
/// <remarks>
/// run-enclave leaves an enclave process behind: a daemon, forked from nitro-cli and not executed anew, whose standard streams lead to /dev/null.
/// It holds the enclave's descriptor of /dev/nitro_enclaves, and the kernel's driver stops the enclave when the last one is closed
/// (ne_enclave_release). The other commands reach it through a Unix socket <c>ID.sock</c> in the folder of sockets: whoever has a folder of its
/// own sees its own enclaves only. The socket is there from the end of a boot until the enclave ends.
/// </remarks>
internal sealed class NitroCli(EnclaveOptions options, TimeProvider time)
{
    private const int MaxOutput = 256 * 1024;

    /// <summary>For describe-enclaves, which itself waits 3 s for each enclave process, and terminate-enclave.</summary>
    public static readonly TimeSpan CommandTime = TimeSpan.FromSeconds(20);

    private readonly string _sockets = Path.GetFullPath(options.RunFolder);

    /// <summary>Powers an enclave on and waits until it says that it has booted. A failure may leave an enclave process behind.</summary>
    /// <exception cref="NitroException">The sentence for people.</exception>
    public async Task<NitroRun> RunAsync(NitroRequest request, TimeSpan limit, CancellationToken cancellation)
    {
        string[] arguments =
        [
            "--eif-path", request.ImagePath, "--cpu-count", Text(request.CpuCount), "--memory", Text(request.MemoryMib),
            "--enclave-cid", Text(request.Cid), "--enclave-name", request.Name,
        ];
        return NitroReplies.ReadRun(await AskAsync("run-enclave", request.Debug ? [.. arguments, "--debug-mode"] : arguments, limit, cancellation));
    }

    /// <summary>The enclaves of the folder of sockets.</summary>
    /// <exception cref="NitroException">The sentence for people.</exception>
    public async Task<IReadOnlyList<NitroDescription>> DescribeAsync(CancellationToken cancellation) =>
        NitroReplies.ReadDescriptions(await AskAsync("describe-enclaves", [], CommandTime, cancellation));

    /// <summary>Ends an enclave; it is gone when this returns.</summary>
    /// <exception cref="NitroException">The sentence for people.</exception>
    public async Task TerminateAsync(string id, CancellationToken cancellation)
    {
        var reply = NitroReplies.ReadTermination(await AskAsync("terminate-enclave", ["--enclave-id", id], CommandTime, cancellation));
        if (!reply.Terminated || reply.Id != id)
            throw new NitroException(
                $"nitro-cli terminate-enclave has not terminated {id} (Terminated is {reply.Terminated} for {reply.Id}); to mend it: delete the pod");
    }

    /// <summary>Follows the console of an enclave in debug mode until it ends.</summary>
    /// <exception cref="EnclaveStartException">nitro-cli cannot be executed.</exception>
    public Task<ChildProcess> FollowConsoleAsync(string id, ConsoleLog console) =>
        ChildProcess.StartAsync("nitro-cli console", options.NitroCliPath, ["console", "--enclave-id", id], console, null, Variables());

    private async Task<ReadOnlyMemory<byte>> AskAsync(string command, string[] arguments, TimeSpan limit, CancellationToken cancellation)
    {
        var output = new OutputCapture(MaxOutput);
        var diagnosis = new NitroDiagnosis();
        var errors = new ConsoleLog(diagnosis.Read);
        await using var child = await ChildProcess.StartAsync(
            $"nitro-cli {command}", options.NitroCliPath, [command, .. arguments], errors, output.FollowAsync, Variables());
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var first = await Task.WhenAny(child.Exited, Task.Delay(limit, time, ended.Token));
        await ended.CancelAsync();
        cancellation.ThrowIfCancellationRequested();
        if (first != child.Exited)
            throw TimedOut(command, limit, errors);
        if (await child.Exited is not 0 and var code)
            throw diagnosis.Explain(command, code, errors.Excerpt(3));
        if (output.Overflowed)
            throw new NitroException($"nitro-cli {command} answered with more than {MaxOutput / 1024} KiB; to mend it: see that --nitro-cli is the real one");
        return output.Bytes;
    }

    private static NitroException TimedOut(string command, TimeSpan limit, ConsoleLog errors)
    {
        var last = errors.Excerpt(3);
        return new NitroException(
            $"nitro-cli {command} had not ended after {limit.TotalSeconds} s and was killed{(last.Length == 0 ? "" : $" (its last lines: {last})")}; "
            + "to mend it: see the node's load and its kernel log (nitro_enclaves); a large image boots with a longer --boot-timeout");
    }

    // Its log is a file that grows with each command, in the pod's memory or on the node's disk; the enclave process inherits the level.
    private IEnumerable<(string Name, string Value)> Variables() => [("NITRO_CLI_SOCKETS_PATH", _sockets), ("RUST_LOG", "warn")];

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
