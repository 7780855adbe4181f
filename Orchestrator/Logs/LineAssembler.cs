namespace Enclaves.Orchestrator.Logs;

/// <summary>Takes a line without its end.</summary>
internal delegate void LineSink(ReadOnlySpan<byte> line);

/// <summary>Cuts a stream of bytes into lines. A line that never ends is handed on in pieces of 32 KiB.</summary>
internal sealed class LineAssembler(LineSink sink)
{
    private const int MaxLineBytes = 32 * 1024;

    private readonly byte[] _pending = new byte[MaxLineBytes];
    private int _length;

    public void Add(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var end = data.IndexOf((byte)'\n');
            var piece = end < 0 ? data : data[..end];
            var room = Math.Min(piece.Length, MaxLineBytes - _length);
            piece[..room].CopyTo(_pending.AsSpan(_length));
            _length += room;
            var whole = end >= 0 && room == piece.Length;
            data = data[(whole ? end + 1 : room)..];
            if (whole || _length == MaxLineBytes)
            {
                sink(_pending.AsSpan(0, _length));
                _length = 0;
            }
        }
    }

    /// <summary>Hands on what is left without an end of line.</summary>
    public void Flush()
    {
        if (_length > 0)
            sink(_pending.AsSpan(0, _length));
        _length = 0;
    }
}
