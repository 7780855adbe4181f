using System.Text;
using System.Text.Json;

namespace Enclaves.Tests.Unit.Webhook.Fuzz;

/// <summary>
/// Makes one review of another: first a few of its members and items change, so that most cases get past the parser and far into the
/// decision; then, in some cases, its bytes. The same random numbers give the same review.
/// </summary>
internal sealed class ReviewMutator
{
    private const int MaxTargets = 3;
    private const int MaxRepeats = 3000;
    private const int MaxListLength = 20_000;
    private const int MaxDepth = 300;
    private readonly Random _random;
    private readonly HashSet<int> _targets = [];
    private readonly StringBuilder _json = new();
    private int _at;

    private ReviewMutator(Random random) => _random = random;

    /// <summary>The mutated review, which need not be JSON any more.</summary>
    public static byte[] Mutate(JsonElement review, Random random)
    {
        var bytes = Encoding.UTF8.GetBytes(new ReviewMutator(random).Rewrite(review));
        // One in four: what the parser refuses says little about what is behind it.
        return random.Next(4) == 0 ? MutateBytes(bytes, random) : bytes;
    }

    private string Rewrite(JsonElement root)
    {
        var values = Count(root);
        for (var i = _random.Next(MaxTargets) + 1; i > 0; i--)
            _targets.Add(_random.Next(values));
        WriteValue(root);
        return _json.ToString();
    }

    private static int Count(JsonElement value) => 1 + value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Sum(member => Count(member.Value)),
        JsonValueKind.Array => value.EnumerateArray().Sum(Count),
        _ => 0,
    };

    // Every value has a number, in the order in which they are written; what stands inside a changed one is left out of it.
    private void WriteValue(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteAll('{', '}', value.EnumerateObject().Select(member => (JsonSerializer.Serialize(member.Name), member.Value)));
                break;
            case JsonValueKind.Array:
                WriteAll('[', ']', value.EnumerateArray().Select(item => ("", item)));
                break;
            default:
                _json.Append(value.GetRawText());
                break;
        }
    }

    private void WriteAll(char open, char close, IEnumerable<(string Name, JsonElement Value)> parts)
    {
        _json.Append(open);
        foreach (var (name, value) in parts)
        {
            if (_targets.Contains(++_at))
            {
                WriteChanged(name, value);
                continue;
            }

            WriteName(name);
            WriteValue(value);
            _json.Append(',');
        }

        if (_json[^1] == ',')
            _json.Length--;
        _json.Append(close);
    }

    private void WriteChanged(string name, JsonElement value)
    {
        var operation = _random.Next(12);
        switch (operation)
        {
            case 0:
                return;
            case 1:
                WritePart(name, value.GetRawText());
                WritePart(name, _random.Next(2) == 0 ? value.GetRawText() : Pick(Fragments.Values));
                return;
            case 2:
                WritePart(name.Length == 0 ? "" : Pick(Fragments.Names), value.GetRawText());
                return;
            case 3:
                WritePart(name, Nested(value.GetRawText()));
                return;
            case 4:
                WritePart(name, Repeated(_random.Next(2) == 0 ? value.GetRawText() : Pick(Fragments.Values)));
                return;
            case 5:
                WritePart(name, JsonSerializer.Serialize(new string((char)_random.Next(0x20, 0x2FF), _random.Next(2000))));
                return;
            case 6 or 7 when Embedded(value) is { } inner:
                WritePart(name, JsonSerializer.Serialize(inner));
                return;
            default:
                WritePart(name, Pick(Fragments.Values));
                return;
        }
    }

    // JSON in a string, as annotations hold it, is another place for the same.
    private string? Embedded(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String || value.GetString() is not { } text || !text.StartsWith('{'))
            return null;
        using var inner = JsonDocument.Parse(text);
        return new ReviewMutator(_random).Rewrite(inner.RootElement);
    }

    // Long enough to be far from what anybody writes, short enough for a million cases.
    private string Repeated(string item) =>
        $"[{string.Join(',', Enumerable.Repeat(item, Math.Min(_random.Next(MaxRepeats), MaxListLength / item.Length)))}]";

    private string Nested(string value)
    {
        var depth = _random.Next(MaxDepth);
        return _random.Next(2) == 0
            ? new string('[', depth) + value + new string(']', depth)
            : string.Concat(Enumerable.Repeat("{\"a\":", depth)) + value + new string('}', depth);
    }

    private void WritePart(string name, string value)
    {
        WriteName(name);
        _json.Append(value).Append(',');
    }

    private void WriteName(string name)
    {
        if (name.Length > 0)
            _json.Append(name).Append(':');
    }

    private T Pick<T>(T[] choices) => choices[_random.Next(choices.Length)];

    private static byte[] MutateBytes(byte[] bytes, Random random)
    {
        var at = random.Next(bytes.Length);
        var length = random.Next(Math.Min(64, bytes.Length - at));
        switch (random.Next(6))
        {
            case 0:
                return bytes[..at];
            case 1:
                return [.. bytes[..at], .. bytes[(at + length)..]];
            case 2:
                return [.. bytes[..(at + length)], .. bytes[at..]];
            case 3:
                return [.. bytes[..at], .. Fragments.Bytes[random.Next(Fragments.Bytes.Length)], .. bytes[at..]];
            case 4:
                return [.. bytes, .. bytes[at..]];
            default:
                for (var i = random.Next(4); i >= 0; i--)
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
        }
    }
}
