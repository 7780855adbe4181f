using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Reconciling;

/// <summary>A child after a pass.</summary>
internal readonly record struct EnsuredChild(LiveObject Live, bool Created);

/// <summary>Makes children as wanted by server-side apply, and writes nothing when they are.</summary>
/// <remarks>
/// Whether an apply would change anything is known without asking the server, from two facts. The annotation <see cref="AppliedHash"/>
/// on the live object has the hash of what was applied last: another hash means that what we want has changed, and it is the only way to
/// see a field that we no longer want. And each field that we apply is compared with the live object, which finds what others changed.
/// A difference that outlives an apply is not ours to remove and is remembered (<see cref="NedMemory.Settle"/>), so that a value the
/// server writes in another form cannot make us write for ever.
/// </remarks>
internal sealed partial class ChildApplier(ApiServer server, ILogger<ChildApplier> logger)
{
    /// <summary>Annotation of children: hash of the fields that were applied last.</summary>
    public const string AppliedHash = "k8s.oblv.com/applied";

    /// <summary>Makes one child as its fields say.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="store">What is known of its kind.</param>
    /// <param name="fields">What to apply.</param>
    /// <param name="ned">The owner, as it was read.</param>
    /// <param name="memory">What earlier passes left.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <param name="prepare">Gives a merge patch that a live object needs before the fields can be applied to it, or null.</param>
    /// <exception cref="NedProblemException">An object of that name is somebody else's.</exception>
    public async Task<EnsuredChild> EnsureAsync(
        ResourceKind kind, ObjectStore<LiveObject> store, JsonObject fields, LiveObject ned, NedMemory memory, CancellationToken cancellation,
        Func<JsonObject, LiveObject, JsonObject?>? prepare = null)
    {
        var key = new ObjectKey(ned.Key.Namespace, (string)fields["metadata"]!["name"]!);
        var live = await FindAsync(kind, store, key, memory, cancellation);
        if (live is not null)
            RequireOwned(kind, live, ned);
        var hash = Hash(fields);
        var differences = live is null ? "" : Describe(kind, fields, live, hash);
        if (live is not null && (differences.Length == 0 || memory.IsSettled(kind, key, differences)))
            return new EnsuredChild(live, false);

        if (live is null)
            await RequireAliveAsync(ned, cancellation);
        var body = Annotated(fields, hash);
        // The very object that was looked at: if it has been replaced meanwhile by one that is not ours, the server refuses.
        if (live is not null)
            body["metadata"]!["uid"] = live.Uid;
        if (live is not null && prepare?.Invoke(fields, live) is { } preparation)
            await server.MergeAsync(kind, live, preparation, cancellation);
        // A new object is applied without force. Should somebody create one of that name between the look and the apply, its fields
        // stay theirs and the next pass finds whose it is.
        var applied = await server.ApplyAsync(kind, key, body, force: live is not null, null, cancellation);
        var remaining = Describe(kind, fields, applied, hash);
        memory.Settle(kind, key, remaining);
        if (live is null)
        {
            LogCreated(logger, kind.Kind, key);
            return new EnsuredChild(applied, true);
        }

        memory.Wrote(kind, live, applied);
        LogUpdated(logger, kind.Kind, key, differences);
        return new EnsuredChild(applied, false);
    }

    /// <summary>Deletes a child that is no longer wanted. One that is somebody else's stays.</summary>
    public async Task RemoveAsync(
        ResourceKind kind, ObjectStore<LiveObject> store, ObjectKey key, LiveObject ned, CancellationToken cancellation)
    {
        if (store.Get(key) is not { IsBeingDeleted: false } live || live.OwnerUid != ned.Uid)
            return;
        await server.DeleteAsync(kind, live, cancellation);
        LogDeleted(logger, kind.Kind, key);
    }

    // The store knows only objects with our labels, and may lag: what it does not have is looked up before it is made.
    private async Task<LiveObject?> FindAsync(
        ResourceKind kind, ObjectStore<LiveObject> store, ObjectKey key, NedMemory memory, CancellationToken cancellation) =>
        store.Get(key) is { } stored ? memory.Latest(kind, stored) : await server.GetAsync(kind, key, cancellation);

    // The watch of NEDs may lag behind the others: what the garbage collector has just taken must not be made again for a NED that is gone.
    private async Task RequireAliveAsync(LiveObject ned, CancellationToken cancellation)
    {
        if (await server.GetAsync(NedKind.Resource, ned.Key, cancellation) is { IsBeingDeleted: false } now && now.Uid == ned.Uid)
            return;
        throw new NedProblemException(new NedProblem("Deleted", $"{NedKind.Resource.Describe(ned.Key)} has been deleted meanwhile.", NeedsHelp: false));
    }

    private static void RequireOwned(ResourceKind kind, LiveObject live, LiveObject ned)
    {
        // Deleted and made again under the same name: the garbage collector is about to take what the earlier one left.
        if (live.OwnerUid != ned.Uid && NedKind.OwnerOf(live) == ned.Key)
        {
            throw new NedProblemException(new NedProblem("LeftByEarlier",
                $"{kind.Describe(live.Key)} belongs to an earlier {ned.Key.Name} and is about to be deleted; if it stays, look at its finalizers.",
                NeedsHelp: false));
        }

        if (live.OwnerUid != ned.Uid)
        {
            var owner = live.OwnerUid is null ? "is not controlled by anything" : $"is controlled by {live.OwnerKind} {live.OwnerName}";
            throw new NedProblemException(new NedProblem("NameConflict",
                $"{kind.Describe(live.Key)} exists already and {owner}; it is left as it is: rename or delete it, or give this {ned.Key.Name} another name.",
                NeedsHelp: true));
        }

        if (live.IsBeingDeleted)
        {
            throw new NedProblemException(new NedProblem("ChildBeingDeleted",
                $"{kind.Describe(live.Key)} is being deleted and will be made again when it is gone; if it stays, look at its finalizers.",
                NeedsHelp: false));
        }
    }

    private static string Describe(ResourceKind kind, JsonObject fields, LiveObject live, string hash)
    {
        // Of what is watched by its metadata the rest is not known; it is immutable, and named after its content.
        var compared = kind.WatchesMetadata ? new JsonObject { ["metadata"] = fields["metadata"]!.DeepClone() } : fields;
        var differences = AppliedFields.ObjectDifferences(compared, live.Json);
        var recorded = live.TextAt("metadata", "annotations", AppliedHash);
        return string.Join(' ', recorded == hash ? differences : [$"hash {recorded ?? "absent"} instead of {hash}", .. differences]);
    }

    private static JsonObject Annotated(JsonObject fields, string hash)
    {
        var body = fields.DeepClone().AsObject();
        var metadata = body["metadata"]!.AsObject();
        if (metadata["annotations"] is not JsonObject annotations)
            metadata["annotations"] = annotations = [];
        annotations[AppliedHash] = hash;
        return body;
    }

    private static string Hash(JsonObject fields) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(fields.ToJsonString())))[..16];

    [LoggerMessage(Level = LogLevel.Information, Message = "Created {Kind} {Child}")]
    private static partial void LogCreated(ILogger logger, string kind, ObjectKey child);

    [LoggerMessage(Level = LogLevel.Information, Message = "Applied {Kind} {Child}, which differed: {Differences}")]
    private static partial void LogUpdated(ILogger logger, string kind, ObjectKey child, string differences);

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {Kind} {Child}, which is no longer wanted")]
    private static partial void LogDeleted(ILogger logger, string kind, ObjectKey child);
}
