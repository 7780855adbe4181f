using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace Enclaves.Reconciler.Cluster;

/// <summary>
/// Reads a list item by item as it arrives: a list from the server's cache comes in one piece, and ten thousand pods in it are larger than
/// all that is kept of them.
/// </summary>
internal sealed class ListItems<T>(Func<JsonElement, T?> take)
    where T : class
{
    // Above any object that etcd holds (1.5 MiB by default).
    private const int MaxItemBytes = 8 * 1024 * 1024;

    private readonly List<T> _items = [];
    private JsonReaderState _state;
    private bool _inItems;
    private bool _ended;

    /// <summary>What was made of the items.</summary>
    public IReadOnlyList<T> Items => _items;

    /// <summary>The list's resourceVersion.</summary>
    public string Version { get; private set; } = "";

    /// <summary>The token for the next page; empty on the last one.</summary>
    public string Continue { get; private set; } = "";

    /// <summary>Reads a whole list.</summary>
    /// <exception cref="InvalidDataException">It is not JSON, cut off, or holds an item that is too large.</exception>
    public async Task ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        try
        {
            while (true)
            {
                var read = await pipe.ReadAsync(cancellation);
                var taken = Take(read.Buffer, read.IsCompleted);
                if (read.Buffer.Length - taken > MaxItemBytes)
                    throw new InvalidDataException($"a list holds an item of more than {MaxItemBytes} bytes");
                pipe.AdvanceTo(read.Buffer.GetPosition(taken), read.Buffer.End);
                if (read.IsCompleted)
                    break;
            }
        }
        catch (JsonException malformed)
        {
            throw new InvalidDataException($"a list is not JSON: {malformed.Message}", malformed);
        }
        finally
        {
            await pipe.CompleteAsync();
        }

        if (!_ended)
            throw new InvalidDataException("a list was cut off");
    }

    // Takes what is whole, and returns its length.
    private long Take(ReadOnlySequence<byte> buffer, bool isLast)
    {
        var reader = new Utf8JsonReader(buffer, isLast, _state);
        while (true)
        {
            var before = reader;
            if (Step(ref reader, buffer))
                continue;
            _state = before.CurrentState;
            return before.BytesConsumed;
        }
    }

    // One token, or one value that is taken or left as a whole; false when there is no more of it yet, or at the end.
    private bool Step(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        if (!reader.Read())
            return false;
        if (_inItems)
        {
            if (reader.TokenType == JsonTokenType.EndArray)
            {
                _inItems = false;
                return true;
            }

            using var item = Value(ref reader, buffer);
            if (item is not null && take(item.RootElement) is { } taken)
                _items.Add(taken);
            return item is not null;
        }

        if (reader.TokenType == JsonTokenType.EndObject)
            _ended = true;
        if (reader.TokenType != JsonTokenType.PropertyName)
            return true;
        if (reader.ValueTextEquals("items"))
        {
            if (!reader.Read())
                return false;
            _inItems = reader.TokenType == JsonTokenType.StartArray;
            return true;
        }

        var isMetadata = reader.ValueTextEquals("metadata");
        if (!reader.Read())
            return false;
        using var value = Value(ref reader, buffer);
        if (isMetadata && value is { RootElement: { ValueKind: JsonValueKind.Object } metadata })
            (Version, Continue) = (metadata.Text("resourceVersion") ?? "", metadata.Text("continue") ?? "");
        return value is not null;
    }

    private static JsonDocument? Value(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        var start = reader.TokenStartIndex;
        if (!reader.TrySkip())
            return null;
        return JsonDocument.Parse(buffer.Slice(start, reader.BytesConsumed - start));
    }
}
