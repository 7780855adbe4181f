using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Enclaves.Reconciler.Cluster;

/// <summary>Splits the stream of a watch into its lines, one JSON document each, without ever holding more than one of them.</summary>
internal static class WatchLines
{
    /// <summary>Above any object that etcd holds (1.5 MiB by default), with its envelope.</summary>
    public const int MaxLineBytes = 8 * 1024 * 1024;

    /// <summary>The documents in order, each valid until the next is asked for. Ends normally at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">A line is too long, not JSON, or cut off in its middle.</exception>
    public static async IAsyncEnumerable<JsonElement> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(cancellation);
                var buffer = read.Buffer;
                while (NextLine(ref buffer) is { } line)
                {
                    using (line)
                        yield return line.RootElement;
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
                if (buffer.Length > MaxLineBytes)
                    throw new InvalidDataException($"a line of the watch is longer than {MaxLineBytes} bytes");
                if (!read.IsCompleted)
                    continue;
                if (buffer.Length > 0)
                    throw new InvalidDataException("the watch was cut in the middle of a line");
                yield break;
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    private static JsonDocument? NextLine(ref ReadOnlySequence<byte> buffer)
    {
        while (buffer.PositionOf((byte)'\n') is { } end)
        {
            var line = buffer.Slice(0, end);
            buffer = buffer.Slice(buffer.GetPosition(1, end));
            if (line.IsEmpty)
                continue;
            try
            {
                return JsonDocument.Parse(line);
            }
            catch (JsonException malformed)
            {
                throw new InvalidDataException($"a line of the watch is not JSON: {malformed.Message}", malformed);
            }
        }

        return null;
    }
}
