using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// A line of log for each review: who asked for what, and what was decided. Never anything of the object, which may hold a password, not even
/// in the wrong place; so not the messages of a denial either, which quote what is wrong. The user has them.
/// </summary>
internal sealed partial class ReviewLog(ILogger<ReviewLog> logger)
{
    // Enough to see what was refused; a denial may have thousands.
    private const int MaxCauses = 10;

    // No name is longer.
    private const int MaxText = 253;

    /// <summary>Writes the line: what was changed or denied at Information, what passed as it was, which would be most of the log, at Debug.</summary>
    public void Add(AdmissionRequest request, AdmissionDecision decision, TimeSpan duration)
    {
        var level = decision is { Allowed: true, Patch: null } ? LogLevel.Debug : LogLevel.Information;
        if (!logger.IsEnabled(level))
            return;
        var (space, name, user, causes) = (Short(request.Namespace), Short(request.Name), Short(request.User), Causes(decision));
        var milliseconds = Math.Round(duration.TotalMilliseconds, 3);
        Reviewed(level, decision.Name, request.Operation, request.Kind.Kind, space, name, request.Uid, user, request.IsDryRun, milliseconds, causes);
    }

    // Where, and by which kind of rule.
    private static string Causes(AdmissionDecision decision)
    {
        if (decision.Allowed)
            return "";
        var shown = string.Join(", ", decision.Causes.Take(MaxCauses).Select(cause => $"{Short(cause.Field)} ({cause.Reason})"));
        return decision.Causes.Count <= MaxCauses ? shown : $"{shown} and {decision.Causes.Count - MaxCauses} more";
    }

    private static string Short(string text) => text.Length <= MaxText ? text : text[..MaxText] + "…";

    [LoggerMessage("{Decision}: {Operation} {Kind} {Namespace}/{Name}, uid {Uid}, user {User}, dry run {DryRun}, {Milliseconds} ms {Causes}")]
    private partial void Reviewed(
        LogLevel level, string decision, string operation, string kind, string nameSpace, string name, string uid, string user, bool dryRun, double milliseconds, string causes);
}
