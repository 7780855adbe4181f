using Enclaves.Reconciler.Control;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;

namespace Enclaves.Reconciler.Actions;

/// <summary>Hands actions over to jobs, so that each is seen in the dashboard with its end.</summary>
internal interface IActionJobs
{
    /// <summary>Makes a job of an action. What is written down there: names, uid and id, nothing of what the annotation says.</summary>
    /// <exception cref="Exception">Whatever the storage throws when it cannot be reached.</exception>
    void Give(ObjectKey ned, string uid, string id);
}

/// <inheritdoc />
internal sealed class ActionJobs(JobStorage storage) : IActionJobs
{
    private readonly BackgroundJobClient _client = new(storage);

    /// <inheritdoc />
    public void Give(ObjectKey ned, string uid, string id) => _client.Create(
        Job.FromExpression<ActionJob>(job => job.RunAsync(ned.Namespace, ned.Name, uid, id, CancellationToken.None)), new EnqueuedState(ActionJob.Queue));
}

/// <summary>An action as a job.</summary>
[AutomaticRetry(Attempts = 2, DelaysInSeconds = [2, 10], OnAttemptsExceeded = AttemptsExceededAction.Delete)]
internal sealed class ActionJob(ActionRunner runner)
{
    /// <summary>Actions have a queue of their own, that goes before the recurring jobs.</summary>
    public const string Queue = "actions";

    /// <summary>Carries it out, unless that was done already.</summary>
    [Queue(Queue)]
    [JobDisplayName("Action {3} on {0}/{1}")]
    public async Task<string> RunAsync(string space, string name, string uid, string id, CancellationToken cancellation) =>
        await runner.RunAsync(new ObjectKey(space, name), uid, id, cancellation);
}
