using System.Text;

namespace Enclaves.EnclaveHost.Lifecycle;

/// <summary>The file that the kubelet shows as the reason of a container's last exit.</summary>
internal static partial class TerminationMessage
{
    // The kubelet reads no more than this.
    private const int MaxBytes = 4096;

    /// <summary>Writes the reason where a kubelet has put such a file; elsewhere there is none, and the log has the reason too.</summary>
    public static void Write(string path, string reason, ILogger logger)
    {
        if (!File.Exists(path))
            return;
        try
        {
            var bytes = Encoding.UTF8.GetBytes(reason);
            File.WriteAllBytes(path, bytes.AsSpan(0, Math.Min(bytes.Length, MaxBytes)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnwritable(logger, path, e.Message);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "the reason of the exit could not be written to {Path}: {Problem}")]
    private static partial void LogUnwritable(ILogger logger, string path, string problem);
}
