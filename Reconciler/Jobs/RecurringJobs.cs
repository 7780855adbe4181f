using Enclaves.Reconciler.Certificates;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling;
using Hangfire;

namespace Enclaves.Reconciler.Jobs;

/// <summary>
/// What is done at fixed times, as the dashboard shows it and as it can be pressed there. Each run is short, can be cut off and be run again,
/// and is left out while the one before is not over.
/// </summary>
// A run that has failed three times is deleted, and so forgotten after a while: one that failed for ever would be kept for ever.
[AutomaticRetry(Attempts = 2, DelaysInSeconds = [5, 20], OnAttemptsExceeded = AttemptsExceededAction.Delete)]
internal sealed class RecurringJobs(JobRuns runs, NedController controller, HealthSweep sweep, ManifestCleanup cleanup, CertificateRenewal? certificates = null)
{
    /// <summary>Name of the job <see cref="ResyncAsync"/>.</summary>
    public const string Resync = "resync";

    /// <summary>Name of the job <see cref="HealthSweepAsync"/>.</summary>
    public const string HealthSweep = "health-sweep";

    /// <summary>Name of the job <see cref="CertificatesAsync"/>.</summary>
    public const string Certificates = "certificates";

    /// <summary>Name of the job <see cref="ManifestsAsync"/>.</summary>
    public const string Manifests = "manifests";

    /// <summary>Asks for a look at every NED.</summary>
    [JobDisplayName("Look at every NED again")]
    public Task<object> ResyncAsync() => runs.RunAsync(Resync, () => Task.FromResult<object>($"{controller.Resync()} NEDs are looked at again"));

    /// <summary>Asks every enclave how it is.</summary>
    [JobDisplayName("Ask every enclave how it is")]
    public Task<object> HealthSweepAsync(CancellationToken cancellation) => runs.RunAsync(HealthSweep, async () => await sweep.RunAsync(cancellation));

    /// <summary>Looks at the Webhook's certificate and takes the steps that are due.</summary>
    [JobDisplayName("Look after the Webhook's certificate")]
    public Task<object> CertificatesAsync(CancellationToken cancellation) => runs.RunAsync(Certificates,
        async () => certificates is null ? "somebody else looks after the certificate" : await certificates.LookAsync(cancellation));

    /// <summary>Has the NEDs looked at that have a manifest which no ReplicaSet uses.</summary>
    [JobDisplayName("Look for manifests that are not in use")]
    public Task<object> ManifestsAsync() => runs.RunAsync(Manifests, () =>
    {
        // By a pass, which is the only one at its NED: a manifest that has just been made for a Deployment to come looks just as unused.
        var neds = cleanup.WithUnused();
        foreach (var ned in neds)
            controller.LookWhenIdle(ned);
        return Task.FromResult<object>(neds.Count == 0 ? "every manifest is in use" : $"{neds.Count} NEDs with manifests that no ReplicaSet uses are looked at");
    });
}
