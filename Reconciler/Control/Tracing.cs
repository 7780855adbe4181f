using System.Diagnostics;

namespace Enclaves.Reconciler.Control;

/// <summary>The spans of the Reconciler. Where no collector is configured, none are made and nothing is paid for them.</summary>
internal static class Tracing
{
    /// <summary>Name of the source.</summary>
    public const string Name = "Enclaves.Reconciler";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>Begins the span of a pass over a NED; null where nobody records it.</summary>
    /// <param name="ned">The NED.</param>
    /// <param name="id">What the lines of the pass's log have as ReconcileId.</param>
    public static Activity? Pass(ObjectKey ned, string id)
    {
        // Whatever the worker's flow was started from is not what asks for this pass.
        Activity.Current = null;
        return Source.StartActivity("reconcile", ActivityKind.Internal)
            ?.SetTag("k8s.namespace.name", ned.Namespace)
            .SetTag("enclaves.ned.name", ned.Name)
            .SetTag("enclaves.reconcile.id", id);
    }

    /// <summary>Begins the span of a write that belongs to a pass or a request; null elsewhere: a lease that is renewed would be nothing but noise.</summary>
    /// <param name="method">Of HTTP.</param>
    /// <param name="plural">What is written, such as deployments.</param>
    /// <param name="what">In words, with the object.</param>
    public static Activity? Write(string method, string plural, string what) => Activity.Current is null
        ? null
        : Source.StartActivity($"{method} {plural}", ActivityKind.Client)?.SetTag("http.request.method", method).SetTag("enclaves.call", what);
}
