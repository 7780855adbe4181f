using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Actions;

/// <summary>
/// Carries an action out: its effect, then an event, then its annotation is removed. May be asked for the same one as often as anybody likes.
/// </summary>
/// <remarks>
///     annotation there ── effect ── event ── annotation removed
/// Cut off before the effect, the next run begins anew. Cut off after it, the next run finds that the Deployment has had this restart
/// (<see cref="RestartRecord"/>), a second look at a NED does no harm, the event has the same name and so is the same one, and the annotation is
/// removed. After that there is no action. Two runs at the same time take turns; of a leader that does not know yet that it is none, the
/// write fence and the Deployment's version keep the write away.
/// </remarks>
internal sealed partial class ActionRunner(
    ApiServer server, NedController controller, IEventSink events, TimeProvider time, ILogger<ActionRunner> logger)
{
    /// <summary>How far ahead a clock may be by which an action was asked for.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    // The Deployment's controllers write its status at the same time.
    private const int MostConflicts = 10;

    private readonly ConcurrentDictionary<ObjectKey, Turn> _turns = new();

    /// <summary>Carries out what an annotation of a NED asks for, if it is still there.</summary>
    /// <returns>What was done, for the dashboard.</returns>
    public async Task<string> RunAsync(ObjectKey key, string uid, string id, CancellationToken cancellation)
    {
        using var turn = await EnterAsync(key, cancellation);
        if (await server.GetAsync(NedKind.Resource, key, cancellation) is not { IsBeingDeleted: false } ned || ned.Uid != uid)
            return "dropped: the NED is gone";
        var annotation = NedAnnotations.ActionPrefix + id;
        if (ned.At("metadata", "annotations", annotation) is null)
            return "nothing is left to do: it was carried out before";
        var actions = NedAction.Of(ned);
        var outcome = actions.FirstOrDefault(action => action.Id == id) is { } asked
            ? await CarryOutAsync(ned, asked, actions.Select(action => action.Id).ToHashSet(StringComparer.Ordinal), cancellation)
            : Outcome.Refused($"The annotation {Quote.Of(annotation, 120)} is removed, for it is no action: ask for one over the REST API.");
        await TellAsync(ned, id, outcome, cancellation);
        await RemoveAsync(ned, annotation, cancellation);
        LogDone(logger, id, key, outcome.Reason, outcome.Note);
        return outcome.Note;
    }

    private async Task<Outcome> CarryOutAsync(LiveObject ned, NedAction action, IReadOnlySet<string> waiting, CancellationToken cancellation)
    {
        var who = $"{Quote.Of(action.By, 200)} asked for it at {action.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z (action {Quote.Of(action.Id, 63)})";
        if (action.At > time.GetUtcNow() + ClockSkew)
            return Outcome.Refused($"An action is removed that is dated in the future: {who}; set the clock of whoever asked right and ask again.");
        switch (action.Kind)
        {
            case NedActionKind.Reconcile:
                controller.LookNow(ned.Key);
                return new Outcome("Normal", Reasons.ReconcileRequested, $"The NED is looked at now: {who}.");
            case NedActionKind.Restart:
                return await RestartAsync(ned, action.Id, waiting, who, cancellation);
            default:
                return Outcome.Refused($"An action of an unknown kind is removed: {who}.");
        }
    }

    private async Task<Outcome> RestartAsync(LiveObject ned, string id, IReadOnlySet<string> waiting, string who, CancellationToken cancellation)
    {
        for (var conflicts = 0;; conflicts++)
        {
            if (await server.GetAsync(ResourceKind.Deployment, ned.Key, cancellation) is not { IsBeingDeleted: false } deployment || deployment.OwnerUid != ned.Uid)
                return Outcome.Refused($"Nothing is restarted, for there is no Deployment of this NED yet: {who}; see the condition Scheduled.");
            var paused = deployment.At("spec", "paused") is { ValueKind: JsonValueKind.True } ? ", as soon as spec.paused is false" : "";
            var restarted = new Outcome("Normal", Reasons.RestartRequested, $"New enclaves take the place of those that run{paused}: {who}.");
            if (RestartRecord.Has(deployment, id))
                return restarted;
            try
            {
                var fields = RestartRecord.Fields(deployment, id, waiting, time.GetUtcNow());
                await server.ApplyAsync(ResourceKind.Deployment, ned.Key, fields, force: true, null, cancellation, RestartRecord.FieldManager);
                return restarted;
            }
            catch (ApiException changed) when (changed.Code == HttpStatusCode.Conflict && conflicts < MostConflicts)
            {
                // It has changed since it was read, perhaps by this very action: looked at again.
            }
        }
    }

    // Not by the recorder, whose memory ends with the process: the same action has the same event, whoever writes it.
    private async Task TellAsync(LiveObject ned, string id, Outcome outcome, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var name = $"{ned.Key.Name}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{ned.Uid}/{id}")))[..16]}";
        var about = new EventSubject(NedNames.ApiVersion, NedNames.Kind, ned.Key, ned.Uid, ned.ResourceVersion);
        try
        {
            var note = new EventNote(about, outcome.Type, outcome.Reason, "Action", EventNote.Cut(outcome.Note));
            await events.WriteAsync(new EventState(name, note, 1, now, now), cancellation);
        }
        catch (EventNotWrittenException refused) when (!refused.IsTransient)
        {
            LogUntold(logger, id, ned.Key, refused.Message);
        }
    }

    private Task RemoveAsync(LiveObject ned, string annotation, CancellationToken cancellation) => server.MergeAsync(
        NedKind.Resource, ned, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [annotation] = null } } }, cancellation);

    private async Task<IDisposable> EnterAsync(ObjectKey key, CancellationToken cancellation)
    {
        while (true)
        {
            var turn = _turns.GetOrAdd(key, _ => new Turn(this, key));
            if (await turn.TryEnterAsync(cancellation))
                return turn;
        }
    }

    private sealed record Outcome(string Type, string Reason, string Note)
    {
        public static Outcome Refused(string note) => new Outcome("Warning", Reasons.ActionRefused, note);
    }

    // Kept while somebody has it or waits for it.
    private sealed class Turn(ActionRunner runner, ObjectKey key) : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly SemaphoreSlim _free = new(1);
        private int _users;
        private bool _gone;

        public async Task<bool> TryEnterAsync(CancellationToken cancellation)
        {
            lock (_lock)
            {
                if (_gone)
                    return false;
                _users++;
            }

            try
            {
                await _free.WaitAsync(cancellation);
                return true;
            }
            catch
            {
                Leave();
                throw;
            }
        }

        public void Dispose()
        {
            _free.Release();
            Leave();
        }

        private void Leave()
        {
            lock (_lock)
            {
                if (--_users > 0)
                    return;
                _gone = true;
            }

            runner._turns.TryRemove(new KeyValuePair<ObjectKey, Turn>(key, this));
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Action {Id} on {Ned}: {Reason}: {Note}")]
    private static partial void LogDone(ILogger logger, string id, ObjectKey ned, string reason, string note);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The event of action {Id} on {Ned} is refused and let go: {Failure}")]
    private static partial void LogUntold(ILogger logger, string id, ObjectKey ned, string failure);
}
