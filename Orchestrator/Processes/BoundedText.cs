using System.Text;

namespace Enclaves.Orchestrator.Processes;

/// <summary>The first lines of a program's output, up to a bound; the rest is read and dropped.</summary>
internal sealed class BoundedText(int maxBytes)
{
    private readonly Lock _lock = new();
    private readonly byte[] _kept = new byte[maxBytes];
    private int _length;

    /// <summary>Adds a line, or a piece of one.</summary>
    public void Add(ReadOnlySpan<byte> line, bool partial)
    {
        lock (_lock)
        {
            var taken = Math.Min(line.Length, maxBytes - _length);
            line[..taken].CopyTo(_kept.AsSpan(_length));
            _length += taken;
            if (!partial && _length < maxBytes)
                _kept[_length++] = (byte)'\n';
        }
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        lock (_lock)
            return Encoding.UTF8.GetString(_kept, 0, _length);
    }
}
