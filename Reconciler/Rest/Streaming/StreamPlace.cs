using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Enclaves.Reconciler.Rest.Auth;
using Enclaves.Reconciler.Rest.Reading;

namespace Enclaves.Reconciler.Rest.Streaming;

/// <summary>
/// A place in one stream, which is the id of an event: after which change it is, and what the stream shows. A reader goes on from it only where it is
/// shown the same as before: the changes since say nothing of what it was not shown then, nor of what it is shown no longer.
/// </summary>
internal readonly record struct StreamPlace(FeedPlace Feed, string Shown)
{
    /// <summary>Reads what was written as the id of an event; null when it is none.</summary>
    public static StreamPlace? Parse(string? text) =>
        text?.Split('.') is [{ Length: > 0 and < 64 } process, var number, { Length: > 0 and < 64 } shown]
        && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? new StreamPlace(new FeedPlace(process, value), shown)
            : null;

    /// <summary>What a stream shows, in short.</summary>
    public static string ShownBy(Visibility visible, LabelSelector selector)
    {
        var spaces = visible.Everywhere ? "*" : string.Join('\n', visible.Namespaces.Order(StringComparer.Ordinal));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{spaces}\n\n{selector.Text}")).AsSpan(0, 8));
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Feed.Process}.{Feed.Number}.{Shown}");
}
