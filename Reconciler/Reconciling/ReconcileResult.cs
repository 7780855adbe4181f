namespace Enclaves.Reconciler.Reconciling;

/// <summary>How a pass ended.</summary>
internal readonly record struct ReconcileResult
{
    private ReconcileResult(bool failed, TimeSpan? after) => (HasFailed, After) = (failed, after);

    /// <summary>All is as wanted; the next change brings the next pass.</summary>
    public static ReconcileResult Done { get; } = new(false, null);

    /// <summary>Whether the pass failed.</summary>
    public bool HasFailed { get; }

    /// <summary>When to look again though nothing has changed that is watched, or null; after a failure, not before that.</summary>
    public TimeSpan? After { get; }

    /// <summary>Try again after the back-off of the key, and not before this.</summary>
    public static ReconcileResult Retry(TimeSpan? notBefore = null) => new(true, notBefore);

    /// <summary>Look again after a while.</summary>
    public static ReconcileResult LookAgain(TimeSpan after) => new(false, after);
}
