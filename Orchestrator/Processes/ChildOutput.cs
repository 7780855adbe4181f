using System.IO.Pipes;
using System.Runtime.InteropServices;
using Enclaves.Orchestrator.Logs;

namespace Enclaves.Orchestrator.Processes;

/// <summary>
/// The pipes that a child writes to and the threads that cut what comes out of them into lines. Reading goes on until every process that
/// holds the pipes has closed them.
/// </summary>
internal sealed class ChildOutput : IDisposable
{
    private readonly AnonymousPipeServerStream _out = new(PipeDirection.In, HandleInheritability.None);
    private readonly AnonymousPipeServerStream _error = new(PipeDirection.In, HandleInheritability.None);

    /// <summary>The ends for the child.</summary>
    public (SafeHandle Out, SafeHandle Error) Handles => (_out.ClientSafePipeHandle, _error.ClientSafePipeHandle);

    /// <summary>For a child that could not be started; else the readers close the pipes.</summary>
    public void Dispose()
    {
        _out.Dispose();
        _error.Dispose();
    }

    /// <summary>Starts reading; call it once the child has been started.</summary>
    public Task ReadAsync(LineSink outLines, LineSink errorLines)
    {
        _out.DisposeLocalCopyOfClientHandle();
        _error.DisposeLocalCopyOfClientHandle();
        return Task.WhenAll(Pump(_out, outLines), Pump(_error, errorLines));
    }

    // A thread each: reads of an anonymous pipe block.
    private static Task Pump(AnonymousPipeServerStream pipe, LineSink sink) => Task.Factory.StartNew(
        () =>
        {
            using (pipe)
            {
                var lines = new LineAssembler(sink);
                var chunk = new byte[16 * 1024];
                for (var count = pipe.Read(chunk); count > 0; count = pipe.Read(chunk))
                    lines.Add(chunk.AsSpan(0, count));
                lines.Flush();
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
