using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>
/// What is remembered of one NED between passes, only to write less: the system is right without it. Used by one worker at a time, as the
/// queue never gives one key to two; the watch asks of echoes meanwhile.
/// </summary>
internal sealed class NedMemory
{
    private readonly Lock _lock = new();
    private Dictionary<(string Kind, ObjectKey Key), OwnWrite>? _writes;
    private Dictionary<(string Kind, ObjectKey Key), string>? _settled;
    private JsonObject? _status;
    private string? _statusVersion;
    private string? _echoedVersion;

    /// <summary>Whether this pass has asked the server that the NED still exists.</summary>
    public bool IsAlive { get; set; }

    /// <summary>
    /// The newest state known: the store's, or the reply to our own last write while the store has not seen that write yet. Without this a
    /// pass that follows a write closely would write, and tell of it, a second time.
    /// </summary>
    public LiveObject Latest(ResourceKind kind, LiveObject stored)
    {
        lock (_lock)
        {
            var id = (kind.Plural, stored.Key);
            if (_writes is null || !_writes.TryGetValue(id, out var write))
                return stored;
            // Versions can only be compared for equality, so the versions that our writes replaced are kept until the store moves on.
            if (write.Replaced.Contains(stored.ResourceVersion))
                return write.Reply;
            Forget(id);
            return stored;
        }
    }

    /// <summary>Notes that a write of ours turned one state into another.</summary>
    public void Wrote(ResourceKind kind, LiveObject before, LiveObject reply)
    {
        lock (_lock)
        {
            if (before.ResourceVersion == reply.ResourceVersion || reply.ResourceVersion == _echoedVersion)
                return;
            var id = (kind.Plural, reply.Key);
            _writes ??= [];
            if (!_writes.TryGetValue(id, out var write))
                _writes[id] = write = new OwnWrite();
            write.Replaced.Add(before.ResourceVersion);
            write.Reply = reply;
        }
    }

    /// <summary>The status that is about to be written: its echo in the watch may be quicker than the reply.</summary>
    public void Writes(JsonObject status)
    {
        lock (_lock)
            (_status, _statusVersion) = (status, null);
    }

    /// <summary>The status is written. Its version tells the echo from now on; the text is not kept, it is as large as all the rest.</summary>
    public void WroteStatus(LiveObject before, LiveObject reply)
    {
        Wrote(NedKind.Resource, before, reply);
        lock (_lock)
            (_status, _statusVersion) = (null, reply.ResourceVersion);
    }

    /// <summary>
    /// Whether a NED has changed only as our own last write of its status says. Safe from any thread: the watch asks while a worker works.
    /// </summary>
    public bool IsEcho(LiveObject before, LiveObject after)
    {
        lock (_lock)
        {
            var isOurs = _statusVersion == after.ResourceVersion
                || (_status is not null && after.At("status") is { } status && JsonNode.DeepEquals(_status, JsonNode.Parse(status.GetRawText())));
            if (!isOurs || before.Generation != after.Generation || before.Uid != after.Uid || !IsSame(before.At("metadata"), after.At("metadata")))
                return false;
            // The store has moved on to the reply, or will have when the reply comes.
            Forget((NedKind.Resource.Plural, after.Key));
            _echoedVersion = after.ResourceVersion;
            return true;
        }
    }

    /// <summary>
    /// Notes differences that an apply did not remove: the server writes a value in another form, or an admission webhook insists on its
    /// own. Applying again would change nothing, for ever. Nothing remaining forgets the earlier ones.
    /// </summary>
    public void Settle(ResourceKind kind, ObjectKey key, string remaining)
    {
        if (remaining.Length == 0)
            _settled?.Remove((kind.Plural, key));
        else
            (_settled ??= [])[(kind.Plural, key)] = remaining;
    }

    /// <summary>Whether exactly these differences have outlived an apply.</summary>
    public bool IsSettled(ResourceKind kind, ObjectKey key, string differences) =>
        _settled is not null && _settled.TryGetValue((kind.Plural, key), out var known) && known == differences;

    /// <summary>Values of ConfigMaps that were read, by the ConfigMap's name.</summary>
    public Dictionary<string, ConfigMapCopy> ConfigMaps { get; } = new(StringComparer.Ordinal);

    private void Forget((string Kind, ObjectKey Key) id)
    {
        if (_writes?.Remove(id) == true && _writes.Count == 0)
            _writes = null;
    }

    // The version changes with everything; managedFields are left out of what is stored.
    private static bool IsSame(JsonElement? before, JsonElement? after) =>
        Members(before).SequenceEqual(Members(after), StringComparer.Ordinal);

    private static IEnumerable<string> Members(JsonElement? metadata) => metadata is { ValueKind: JsonValueKind.Object } present
        ? present.EnumerateObject().Where(member => member.Name != "resourceVersion").Select(member => $"{member.Name}={member.Value.GetRawText()}").Order(StringComparer.Ordinal)
        : [];

    private sealed class OwnWrite
    {
        public HashSet<string> Replaced { get; } = [];

        public LiveObject Reply { get; set; } = null!;
    }
}
