namespace Enclaves.Reconciler.Control.Events;

/// <summary>Where an <see cref="EventRecorder"/> writes to.</summary>
internal interface IEventSink
{
    /// <summary>Makes the Event of this name be as given, whether it exists or not: the same once more does no harm.</summary>
    /// <exception cref="EventNotWrittenException">It could not be written.</exception>
    Task WriteAsync(EventState state, CancellationToken cancellation);
}

/// <summary>An Event could not be written.</summary>
/// <param name="message">Why.</param>
/// <param name="isTransient">Whether the same may succeed later.</param>
/// <param name="retryAfter">When the server wants to be asked again, if it has said so.</param>
internal sealed class EventNotWrittenException(string message, bool isTransient, TimeSpan? retryAfter = null) : Exception(message), IRetryLater
{
    /// <summary>Whether the same may succeed later.</summary>
    public bool IsTransient => isTransient;

    /// <summary>When the server wants to be asked again, if it has said so.</summary>
    public TimeSpan? RetryAfter => retryAfter;
}
