using System.Globalization;

namespace Enclaves.Webhook.Patching;

/// <summary>A path in a JSON document, RFC 6901; the empty one is the document itself.</summary>
internal readonly record struct JsonPointer
{
    private readonly string? _text;

    private JsonPointer(string text) => _text = text;

    /// <summary>A member of the object here.</summary>
    public JsonPointer Member(string name) =>
        // ~ first: it would otherwise be escaped again in ~1.
        new($"{this}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}");

    /// <summary>An item of the array here.</summary>
    public JsonPointer Item(int index) => new(string.Create(CultureInfo.InvariantCulture, $"{this}/{index}"));

    /// <summary>The place after the last item of the array here.</summary>
    public JsonPointer End() => new($"{this}/-");

    public override string ToString() => _text ?? "";
}
