using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>
/// What is remembered of one NED between passes, only to write less: the system is right without it. Used by one worker at a time, as the
/// queue never gives one key to two.
/// </summary>
internal sealed class NedMemory
{
    private readonly Dictionary<(string Kind, ObjectKey Key), OwnWrite> _writes = [];
    private volatile JsonObject? _status;
    private readonly Dictionary<(string Kind, ObjectKey Key), string> _settled = [];

    /// <summary>
    /// The newest state known: the store's, or the reply to our own last write while the store has not seen that write yet. Without this a
    /// pass that follows a write closely would write, and tell of it, a second time.
    /// </summary>
    public LiveObject Latest(ResourceKind kind, LiveObject stored)
    {
        var id = (kind.Plural, stored.Key);
        if (!_writes.TryGetValue(id, out var write))
            return stored;
        // Versions can only be compared for equality, so the versions that our writes replaced are kept until the store moves on.
        if (write.Replaced.Contains(stored.ResourceVersion))
            return write.Reply;
        _writes.Remove(id);
        return stored;
    }

    /// <summary>Notes that a write of ours turned one state into another.</summary>
    public void Wrote(ResourceKind kind, LiveObject before, LiveObject reply)
    {
        if (before.ResourceVersion == reply.ResourceVersion)
            return;
        var id = (kind.Plural, reply.Key);
        if (!_writes.TryGetValue(id, out var write))
            _writes[id] = write = new OwnWrite();
        write.Replaced.Add(before.ResourceVersion);
        write.Reply = reply;
    }

    /// <summary>The status that was written last, noted before it is sent: its echo in the watch may be quicker than the reply.</summary>
    public void Writes(JsonObject status) => _status = status;

    /// <summary>
    /// Whether a NED has changed only as our own last write of its status says. Safe from any thread: the watch asks while a worker works.
    /// </summary>
    public bool IsEcho(LiveObject before, LiveObject after) =>
        _status is { } written && before.Generation == after.Generation && before.Uid == after.Uid
        && after.At("status") is { } status && JsonNode.DeepEquals(written, JsonNode.Parse(status.GetRawText()))
        && IsSame(before.At("metadata"), after.At("metadata"));

    // The version changes with everything; managedFields are left out of what is stored.
    private static bool IsSame(JsonElement? before, JsonElement? after) =>
        Members(before).SequenceEqual(Members(after), StringComparer.Ordinal);

    private static IEnumerable<string> Members(JsonElement? metadata) => metadata is { ValueKind: JsonValueKind.Object } present
        ? present.EnumerateObject().Where(member => member.Name != "resourceVersion").Select(member => $"{member.Name}={member.Value.GetRawText()}").Order(StringComparer.Ordinal)
        : [];

    /// <summary>
    /// Notes differences that an apply did not remove: the server writes a value in another form, or an admission webhook insists on its
    /// own. Applying again would change nothing, for ever. Nothing remaining forgets the earlier ones.
    /// </summary>
    public void Settle(ResourceKind kind, ObjectKey key, string remaining)
    {
        if (remaining.Length == 0)
            _settled.Remove((kind.Plural, key));
        else
            _settled[(kind.Plural, key)] = remaining;
    }

    /// <summary>Whether exactly these differences have outlived an apply.</summary>
    public bool IsSettled(ResourceKind kind, ObjectKey key, string differences) =>
        _settled.TryGetValue((kind.Plural, key), out var known) && known == differences;

    /// <summary>Values of ConfigMaps that were read, by the ConfigMap's name.</summary>
    public Dictionary<string, ConfigMapCopy> ConfigMaps { get; } = new(StringComparer.Ordinal);

    private sealed class OwnWrite
    {
        public HashSet<string> Replaced { get; } = [];

        public LiveObject Reply { get; set; } = null!;
    }
}
