namespace Enclaves.Reconciler.Control;

/// <summary>What a line of a watch says.</summary>
internal enum WatchEventKind
{
    /// <summary>The object is new or has changed.</summary>
    Present,

    /// <summary>The object is gone.</summary>
    Deleted,

    /// <summary>Nothing happened up to this version.</summary>
    Bookmark,
}

/// <summary>A line of a watch. The item is null for a bookmark.</summary>
internal readonly record struct WatchEvent<T>(WatchEventKind Kind, string ResourceVersion, T? Item)
    where T : class;

/// <summary>A whole list and the version from which a watch continues it.</summary>
internal sealed record ListResult<T>(IReadOnlyList<T> Items, string ResourceVersion);

/// <summary>A failure that may say when to ask again.</summary>
internal interface IRetryLater
{
    /// <summary>The pause that the server asks for, or null when it asks for none.</summary>
    TimeSpan? RetryAfter { get; }
}

/// <summary>The version that was asked for is gone or not there yet (410, or 504 "Too large resource version"): list again.</summary>
internal sealed class ResourceVersionUnavailableException(string message) : Exception(message);

/// <summary>Where a <see cref="Reflector{T}"/> reads one kind of object from.</summary>
internal interface IWatchSource<T>
    where T : class
{
    /// <summary>What it reads, for messages.</summary>
    string Name { get; }

    /// <summary>
    /// Lists every object: as of any version for "0", not older than a version for that version, as of now for "".
    /// </summary>
    /// <exception cref="ResourceVersionUnavailableException">The server cannot list at this version.</exception>
    Task<ListResult<T>> ListAsync(string resourceVersion, CancellationToken cancellation);

    /// <summary>
    /// Streams what happened after a version, with bookmarks. Ends normally when the server closes the stream, at the latest after the
    /// timeout.
    /// </summary>
    /// <exception cref="ResourceVersionUnavailableException">The server no longer knows what happened after this version.</exception>
    IAsyncEnumerable<WatchEvent<T>> WatchAsync(string resourceVersion, TimeSpan timeout, CancellationToken cancellation);
}
