using System.Text;

namespace Enclaves.Reconciler.Control.Events;

/// <summary>Whom an Event is about, at the version of it that was looked at.</summary>
internal sealed record EventSubject(string ApiVersion, string Kind, ObjectKey Key, string Uid, string ResourceVersion);

/// <summary>Something that happened and that whoever owns the object wants to know.</summary>
/// <param name="About">The object.</param>
/// <param name="Type">Normal or Warning.</param>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Action">What was being done.</param>
/// <param name="Note">One sentence; what the API does not take of a long one is cut off.</param>
internal sealed record EventNote(EventSubject About, string Type, string Reason, string Action, string Note)
{
    // Limit of the API, in bytes of UTF-8.
    private const int MaxBytes = 1024;

    /// <summary>A note as far as the limit allows, never with half a character at its end.</summary>
    public static string Cut(string note)
    {
        const string more = "…";
        if (Encoding.UTF8.GetByteCount(note) <= MaxBytes)
            return note;
        var room = MaxBytes - Encoding.UTF8.GetByteCount(more);
        var length = 0;
        foreach (var rune in note.EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0)
                break;
            length += rune.Utf16SequenceLength;
        }

        return note[..length] + more;
    }
}

/// <summary>An Event as it is to stand in the cluster: what was told, how often, and when first and last.</summary>
internal sealed record EventState(string Name, EventNote What, int Count, DateTimeOffset First, DateTimeOffset Last);
