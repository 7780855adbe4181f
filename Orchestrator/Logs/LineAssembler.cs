namespace Enclaves.Orchestrator.Logs;

/// <summary>Takes a line without its end, or a piece of one that goes on in the next call.</summary>
internal delegate void LineSink(ReadOnlySpan<byte> line, bool partial);

/// <summary>Cuts a stream of bytes into lines. A longer line than 32 KiB, or one that never ends, is handed on in pieces of that size.</summary>
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
            if (_length == 0 && end is >= 0 and <= MaxLineBytes)
            {
                // The everyday case needs no copy.
                sink(data[..end], partial: false);
                data = data[(end + 1)..];
                continue;
            }

            var piece = end < 0 ? data : data[..end];
            var room = Math.Min(piece.Length, MaxLineBytes - _length);
            piece[..room].CopyTo(_pending.AsSpan(_length));
            _length += room;
            var whole = end >= 0 && room == piece.Length;
            data = data[(whole ? end + 1 : room)..];
            // A full piece is a whole line only where its end is known to follow.
            if (whole || (_length == MaxLineBytes && !data.IsEmpty))
                Hand(partial: !whole);
        }
    }

    /// <summary>Hands on what is left without an end of line.</summary>
    public void Flush()
    {
        if (_length > 0)
            Hand(partial: false);
    }

    private void Hand(bool partial)
    {
        var cut = partial ? Utf8Cut.Before(_pending, _length) : _length;
        sink(_pending.AsSpan(0, cut), partial);
        _pending.AsSpan(cut, _length - cut).CopyTo(_pending);
        _length -= cut;
    }
}
