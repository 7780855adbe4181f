using System.Text;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>
/// The last lines that a child wrote: at most 200 of at most 1 KiB each, so a chatty child costs no memory. Longer lines are cut.
/// </summary>
internal sealed class ConsoleLog(Action<string>? onLine)
{
    private const int MaxLines = 200;
    private const int MaxLineBytes = 1024;

    private readonly Lock _gate = new();
    private readonly Queue<string> _lines = new();

    /// <summary>Reads until the child closes its end.</summary>
    public async Task FollowAsync(Stream stream)
    {
        var buffer = new byte[4096];
        var line = new List<byte>(MaxLineBytes);
        while (await stream.ReadAsync(buffer) is var count and > 0)
        {
            foreach (var value in buffer.AsSpan(0, count))
            {
                if (value == '\n')
                    EndLine(line);
                else if (value >= ' ' && line.Count < MaxLineBytes)
                    line.Add(value);
            }
        }

        EndLine(line);
    }

    /// <summary>The last lines, oldest first.</summary>
    public IReadOnlyList<string> Last(int count)
    {
        lock (_gate)
            return [.. _lines.TakeLast(count)];
    }

    /// <summary>The last lines in one, for a message; with the line of a kernel's panic, which its stack trace has pushed up.</summary>
    public string Excerpt(int count)
    {
        lock (_gate)
        {
            var last = _lines.TakeLast(count).ToList();
            var panic = _lines.LastOrDefault(line => line.Contains("Kernel panic", StringComparison.Ordinal));
            if (panic is not null && !last.Contains(panic))
                last.Insert(0, panic);
            return string.Join(" | ", last);
        }
    }

    private void EndLine(List<byte> bytes)
    {
        if (bytes.Count == 0)
            return;
        var text = Encoding.UTF8.GetString([.. bytes]);
        bytes.Clear();
        lock (_gate)
        {
            _lines.Enqueue(text);
            if (_lines.Count > MaxLines)
                _lines.Dequeue();
        }

        onLine?.Invoke(text);
    }
}
