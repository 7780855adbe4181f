using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>
/// Keeps a quantity as the text the user wrote: JSON may hold a string or a number, and one that cannot be read must become
/// a message with its path rather than an exception of the reader.
/// </summary>
public sealed class QuantityTextConverter : JsonConverter<string>
{
    /// <inheritdoc />
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString(),
        JsonTokenType.Number => reader.HasValueSequence
            ? Encoding.ASCII.GetString(System.Buffers.BuffersExtensions.ToArray(reader.ValueSequence))
            : Encoding.ASCII.GetString(reader.ValueSpan),
        _ => throw new JsonException("a quantity is a string or a number"),
    };

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value);
    }
}
