namespace Enclaves.Reconciler.Reconciling;

/// <summary>Why the children of a NED could not be made as its spec says.</summary>
/// <param name="Reason">CamelCase word for conditions and events.</param>
/// <param name="Message">One sentence: the object, the cause, the next step.</param>
/// <param name="NeedsHelp">Whether somebody must do something; otherwise it is retried and may pass.</param>
internal sealed record NedProblem(string Reason, string Message, bool NeedsHelp)
{
    /// <summary>Whether what is missing is often only a moment late, as when a GitOps tool applies objects in any order: told only when it lasts.</summary>
    public bool OftenPasses { get; init; }
}

/// <summary>Ends a pass with a problem that the status reports.</summary>
internal sealed class NedProblemException(NedProblem problem) : Exception(problem.Message)
{
    /// <summary>The problem.</summary>
    public NedProblem Problem { get; } = problem;
}
