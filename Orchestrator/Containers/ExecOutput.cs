using System.Text;

namespace Enclaves.Orchestrator.Containers;

/// <summary>What is kept of a command's output.</summary>
internal static class ExecOutput
{
    /// <summary>Most bytes that are kept (Kubernetes, pkg/probe/exec: maxReadLength).</summary>
    public const int MaxBytes = 10 * 1024;

    /// <summary>The beginning of both streams, errors after the rest, as text.</summary>
    public static string Text(ReadOnlySpan<byte> output, ReadOnlySpan<byte> errors)
    {
        var kept = output[..Math.Min(output.Length, MaxBytes)];
        return Encoding.UTF8.GetString(kept) + Encoding.UTF8.GetString(errors[..Math.Min(errors.Length, MaxBytes - kept.Length)]);
    }
}
