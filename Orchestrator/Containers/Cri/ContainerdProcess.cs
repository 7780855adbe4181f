using System.Text;
using Enclaves.Channel;
using Enclaves.Orchestrator.Processes;

namespace Enclaves.Orchestrator.Containers.Cri;

/// <summary>
/// Keeps containerd running inside an enclave. Containers survive its end (their shims hold them), so it is simply started again, after
/// 1 s, doubling to 30 s.
/// </summary>
internal sealed partial class ContainerdProcess(Children children, ILogger<ContainerdProcess> logger)
{
    private const string Program = "/usr/bin/containerd";
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Healthy = TimeSpan.FromMinutes(1);

    public async Task RunAsync(CancellationToken cancellation)
    {
        var wait = FirstWait;
        while (!cancellation.IsCancellationRequested)
        {
            var started = System.Diagnostics.Stopwatch.GetTimestamp();
            var code = await RunOnceAsync(cancellation);
            if (System.Diagnostics.Stopwatch.GetElapsedTime(started) > Healthy)
                wait = FirstWait;
            LogEnded(code, wait.TotalSeconds);
            await Task.Delay(wait, cancellation);
            wait = wait.Doubled(LongestWait);
        }
    }

    private async Task<int> RunOnceAsync(CancellationToken cancellation)
    {
        var output = new ChildOutput();
        Child child;
        try
        {
            child = children.Start(Program, [Program], ["PATH=/usr/bin:/usr/sbin:/bin:/sbin", "HOME=/root"], output.Handles);
        }
        catch
        {
            output.Dispose();
            throw;
        }

        _ = output.ReadAsync(Report, Report);
        return await child.Exit.WaitAsync(cancellation);
    }

    // containerd reports every call at info; what matters is what went wrong.
    private void Report(ReadOnlySpan<byte> line, bool partial)
    {
        var text = Encoding.UTF8.GetString(line);
        if (text.Contains("level=info", StringComparison.Ordinal) || text.Contains("level=debug", StringComparison.Ordinal))
            LogDetail(text);
        else
            LogLine(text);
    }

    [LoggerMessage(1, LogLevel.Error, "containerd ended with exit code {Code}; starting it again in {Seconds} s")]
    private partial void LogEnded(int code, double seconds);

    [LoggerMessage(2, LogLevel.Warning, "containerd: {Text}")]
    private partial void LogLine(string text);

    [LoggerMessage(3, LogLevel.Debug, "containerd: {Text}")]
    private partial void LogDetail(string text);
}
