using System.Text.Json;

namespace Enclaves.Reconciler.Cluster;

/// <summary>
/// Which members of an object are kept when it is read from a list or a watch. Of ten thousand objects what nobody reads would be most of
/// the memory that they take.
/// </summary>
internal sealed class KeptFields
{
    /// <summary>Everything but managedFields, which are as large as the rest, and which nobody here reads.</summary>
    public static readonly KeptFields Whole = But(("metadata", But(("managedFields", null))));

    private readonly (string Name, KeptFields? Inner)[] _named;
    private readonly bool _keepsOthers;

    private KeptFields((string, KeptFields?)[] named, bool keepsOthers) => (_named, _keepsOthers) = (named, keepsOthers);

    /// <summary>These members alone; of one with an inner rule, what that keeps.</summary>
    public static KeptFields Only(params (string Name, KeptFields? Inner)[] named) => new(named, false);

    /// <summary>All members but these; of one with an inner rule, what that keeps.</summary>
    public static KeptFields But(params (string Name, KeptFields? Inner)[] named) => new(named, true);

    /// <summary>Writes what is kept of an object, and of each object of a list. Any other value is kept as it is.</summary>
    public void Write(Utf8JsonWriter writer, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            writer.WriteStartArray();
            foreach (var item in value.EnumerateArray())
                Write(writer, item);
            writer.WriteEndArray();
            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            value.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        foreach (var member in value.EnumerateObject())
        {
            if (Find(member) is not { } named)
            {
                if (_keepsOthers)
                    member.WriteTo(writer);
            }
            else if (named.Inner is { } inner)
            {
                writer.WritePropertyName(named.Name);
                inner.Write(writer, member.Value);
            }
            else if (!_keepsOthers)
            {
                member.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }

    private (string Name, KeptFields? Inner)? Find(JsonProperty member)
    {
        foreach (var named in _named)
        {
            if (member.NameEquals(named.Name))
                return named;
        }

        return null;
    }
}
