using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Leadership;

namespace Enclaves.Reconciler.Certificates;

/// <summary>What a look at the certificate has found, after the steps that were due.</summary>
/// <param name="Steps">Steps that were taken.</param>
/// <param name="ValidUntil">Until when the certificate is valid; null where there is none.</param>
/// <param name="AuthorityValidUntil">The same of its authority.</param>
/// <param name="HasMore">Whether more steps may be due.</param>
internal sealed record CertificateLook(int Steps, DateTimeOffset? ValidUntil, DateTimeOffset? AuthorityValidUntil, bool HasMore);

/// <summary>
/// Looks at the certificate again and again and takes the steps of <see cref="RotationPolicy"/>. Writes to the Secret fail when it was
/// changed since it was read, so that no two of us can undo each other's work.
/// </summary>
internal sealed partial class CertificateRenewal(
    ApiServer server, WebhookTrust trust, CertificateSettings settings, TimeProvider time, ILogger<CertificateRenewal> logger,
    LeaderElector? elector = null) : BackgroundService
{
    // Also the longest time for which a caBundle that somebody has taken away is missed.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    // A step asks for the next one at once; from nothing to a new certificate there are three.
    private const int MostSteps = 8;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));

    private ObjectKey Secret => new(settings.Namespace, settings.Secret);

    /// <summary>Takes every step that is due, one look at a time.</summary>
    /// <returns>How long what there is then is valid.</returns>
    public async Task<CertificateLook> LookAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            CertificateLook look;
            var steps = 0;
            do
            {
                // Each step starts from the Secret as it is by then.
                look = await StepAsync(cancellation) with { Steps = steps };
            }
            while (look.HasMore && ++steps < MostSteps);
            return look;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await (elector?.Elected ?? Task.CompletedTask).WaitAsync(stoppingToken);
        var failures = 0;
        while (true)
        {
            var wait = Interval;
            try
            {
                await LookAsync(stoppingToken);
                failures = 0;
            }
            catch (Exception failure) when (ApiServer.IsFailure(failure))
            {
                wait = _backOff.Delay(failures++);
                LogFailed(logger, Secret, wait.TotalSeconds, failure.Message);
            }

            await Task.Delay(wait, time, stoppingToken);
        }
    }

    private async Task<CertificateLook> StepAsync(CancellationToken cancellation)
    {
        if (await server.GetAsync(ResourceKind.Secret, Secret, cancellation) is not { } secret)
        {
            LogNoSecret(logger, Secret);
            return new CertificateLook(0, null, null, false);
        }

        var state = CertificateSecret.Read(secret, time.GetUtcNow());
        var trusted = await trust.EnsureAsync(state.Bundle, cancellation);
        if (RotationPolicy.Next(state, trusted, settings, time.GetUtcNow()) is not { } step)
            return new CertificateLook(0, state.Leaf?.NotAfter, state.Authority?.NotAfter, false);
        await server.ReplaceAsync(ResourceKind.Secret, Secret, CertificateSecret.Write(secret, step.State), WebhookTrust.FieldManager, cancellation);
        LogStep(logger, Secret, step.What, step.State.Leaf?.NotAfter, step.State.Authority?.NotAfter);
        return new CertificateLook(0, step.State.Leaf?.NotAfter, step.State.Authority?.NotAfter, true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Secret}: {Step}; the certificate is valid until {LeafUntil:u}, its authority until {AuthorityUntil:u}")]
    private static partial void LogStep(ILogger logger, ObjectKey secret, string step, DateTimeOffset? leafUntil, DateTimeOffset? authorityUntil);

    [LoggerMessage(Level = LogLevel.Error, Message = "There is no Secret {Secret} to keep the Webhook's certificate in; helm upgrade with the values of the release makes it again")]
    private static partial void LogNoSecret(ILogger logger, ObjectKey secret);

    [LoggerMessage(Level = LogLevel.Error, Message = "The Webhook's certificate in {Secret} could not be looked after, next attempt in {Seconds:F0} s: {Failure}")]
    private static partial void LogFailed(ILogger logger, ObjectKey secret, double seconds, string failure);
}
