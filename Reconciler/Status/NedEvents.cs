using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control.Events;

namespace Enclaves.Reconciler.Status;

/// <summary>
/// Tells by Kubernetes events what happens to NEDs. The callers tell of each transition once, never of each pass.
/// </summary>
internal sealed class NedEvents(EventRecorder recorder)
{
    /// <summary>Records one event; it is written soon, and nothing waits for it.</summary>
    /// <param name="ned">The NED it is about.</param>
    /// <param name="type">Normal or Warning.</param>
    /// <param name="reason">CamelCase word.</param>
    /// <param name="action">What was being done.</param>
    /// <param name="note">One sentence.</param>
    public void Record(LiveObject ned, string type, string reason, string action, string note) => recorder.Record(new EventNote(
        new EventSubject(NedNames.ApiVersion, NedNames.Kind, ned.Key, ned.Uid, ned.ResourceVersion), type, reason, action, note));
}
