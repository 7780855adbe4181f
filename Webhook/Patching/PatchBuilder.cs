using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Enclaves.Webhook.Patching;

/// <summary>Writes the operations of a JSON patch, RFC 6902, in the order they are to be applied.</summary>
internal sealed class PatchBuilder : IDisposable
{
    private const int TypicalBytes = 8 * 1024;
    private const int MaxKeptBytes = 64 * 1024;

    // The last patch of a thread leaves its buffer to the next one, which is made without a wait in between.
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _spare;

    private readonly ArrayBufferWriter<byte> _text;
    private readonly Utf8JsonWriter _json;

    /// <summary>A patch without operations.</summary>
    public PatchBuilder()
    {
        _text = _spare ?? new ArrayBufferWriter<byte>(TypicalBytes);
        _spare = null;
        _json = new Utf8JsonWriter(_text);
    }

    /// <summary>Number of operations so far.</summary>
    public int Count { get; private set; }

    /// <summary>Sets a member, or puts an item at the end of an array.</summary>
    public void Add(JsonPointer path, JsonNode? value) => Operation("add", path, value);

    /// <summary>Changes a member that exists.</summary>
    public void Replace(JsonPointer path, JsonNode? value) => Operation("replace", path, value);

    /// <summary>The patch as JSON in UTF-8, or null where there is nothing to do; it ends the patch.</summary>
    public byte[]? ToJson()
    {
        if (Count == 0)
            return null;
        _json.WriteEndArray();
        _json.Flush();
        return _text.WrittenSpan.ToArray();
    }

    public void Dispose()
    {
        _json.Dispose();
        _text.ResetWrittenCount();
        if (_text.Capacity <= MaxKeptBytes)
            _spare = _text;
    }

    private void Operation(string operation, JsonPointer path, JsonNode? value)
    {
        if (Count++ == 0)
            _json.WriteStartArray();
        _json.WriteStartObject();
        _json.WriteString("op", operation);
        _json.WriteString("path", path.ToString());
        _json.WritePropertyName("value");
        if (value is null)
            _json.WriteNullValue();
        else
            value.WriteTo(_json);
        _json.WriteEndObject();
    }
}
