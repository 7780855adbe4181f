using System.Globalization;
using System.Runtime.CompilerServices;

namespace Enclaves.Webhook.Patching;

/// <summary>A path in a JSON document, RFC 6901. Most paths lead to nothing that is missing: the text is made only where it is asked for.</summary>
internal sealed class JsonPointer
{
    private readonly JsonPointer? _parent;
    private readonly string _step;

    private JsonPointer(JsonPointer? parent, string step) => (_parent, _step) = (parent, step);

    /// <summary>The document itself.</summary>
    public static JsonPointer Root { get; } = new(null, "");

    /// <summary>A member of the object here.</summary>
    public JsonPointer Member(string name) => new(this, name);

    /// <summary>An item of the array here.</summary>
    public JsonPointer Item(int index) => new(this, index.ToString(CultureInfo.InvariantCulture));

    /// <summary>The place after the last item of the array here.</summary>
    public JsonPointer End() => new(this, "-");

    public override string ToString()
    {
        // No longer than this is any path that is patched; it would grow.
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[256]);
        Append(ref text);
        return text.ToStringAndClear();
    }

    private void Append(ref DefaultInterpolatedStringHandler text)
    {
        if (_parent is null)
            return;
        _parent.Append(ref text);
        text.AppendLiteral("/");
        // ~ first: it would otherwise be escaped again in ~1. Where there is neither, nothing is copied.
        text.AppendLiteral(_step.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
    }
}
