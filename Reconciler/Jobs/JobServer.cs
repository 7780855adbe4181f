using Enclaves.Reconciler.Actions;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Leadership;
using Enclaves.Reconciler.Reconciling;
using Hangfire;
using Hangfire.Common;
using Hangfire.Server;

namespace Enclaves.Reconciler.Jobs;

/// <summary>
/// Runs Hangfire's server on the replica that works, once its stores are whole. Where the history is kept in a database that goes away and
/// comes back, the server is started anew: Hangfire by itself waits ever longer before it tries again.
/// </summary>
internal sealed partial class JobServer(
    JobStorage storage, JobSettings settings, NedController controller, IServiceProvider services, JobClock clock, TimeProvider time, ILogger<JobServer> logger,
    LeaderElector? elector = null, JobDatabase? database = null) : BackgroundService
{
    // One for each recurring job, and some for actions.
    private const int Workers = 8;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAtDatabase = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(3);

    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
    private bool _isAway;
    private int _failures;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await controller.Synced.WaitAsync(stoppingToken);
            await (elector?.Elected ?? Task.CompletedTask).WaitAsync(stoppingToken);
            // Makes Hangfire use our storage, logger and services.
            services.GetRequiredService<IGlobalConfiguration>();
            NoteSchedules();
            while (true)
            {
                await PrepareAsync(stoppingToken);
                await ServeAsync(stoppingToken);
                await PauseAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process is asked to stop; what was under way is begun again by the next one.
        }
    }

    // Serves until the database has been away, or for ever where there is none.
    private async Task ServeAsync(CancellationToken cancellation)
    {
        BackgroundJobServer? server = null;
        try
        {
            server = await Task.Run(Start, cancellation);
            _isAway = false;
            _failures = 0;
            LogServing(logger, database is null ? "memory" : "PostgreSQL");
            if (database is null)
                await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellation);
            while (await AnswersAsync(cancellation))
                await Task.Delay(LookAtDatabase, time, cancellation);
        }
        catch (Exception failure) when (database is not null && !cancellation.IsCancellationRequested)
        {
            // It went away between two looks, and the drivers' exceptions are many.
            NoteAway(failure.GetBaseException().Message);
        }
        finally
        {
            if (server is not null)
                await StopAsync(server);
        }
    }

    // One that never begins is late, too.
    private void NoteSchedules()
    {
        foreach (var job in Jobs().Where(job => job.Schedule.Length > 0))
            clock.Expect(job.Name);
    }

    private (string Name, string Schedule, Job Job)[] Jobs() =>
    [
        (RecurringJobs.Resync, settings.Resync, Job.FromExpression<RecurringJobs>(jobs => jobs.ResyncAsync())),
        (RecurringJobs.HealthSweep, settings.HealthSweep, Job.FromExpression<RecurringJobs>(jobs => jobs.HealthSweepAsync(CancellationToken.None))),
        (RecurringJobs.Certificates, settings.Certificates, Job.FromExpression<RecurringJobs>(jobs => jobs.CertificatesAsync(CancellationToken.None))),
        (RecurringJobs.Manifests, settings.Manifests, Job.FromExpression<RecurringJobs>(jobs => jobs.ManifestsAsync())),
    ];

    private BackgroundJobServer Start()
    {
        foreach (var (name, schedule, job) in Jobs())
            Schedule(name, schedule, job);
        return new BackgroundJobServer(new BackgroundJobServerOptions
        {
            ServerName = Environment.MachineName,
            WorkerCount = Workers,
            // The first one goes first.
            Queues = [ActionJob.Queue, "default"],
            // Nothing fires more often than this.
            SchedulePollingInterval = Poll,
            CancellationCheckInterval = Poll,
            HeartbeatInterval = TimeSpan.FromSeconds(10),
            ServerTimeout = TimeSpan.FromMinutes(1),
            ShutdownTimeout = ShutdownLimit,
            Activator = services.GetRequiredService<JobActivator>(),
        }, storage);
    }

    // What was missed while nobody served is not made up for: each job looks at the whole.
    private void Schedule(string name, string schedule, Job job)
    {
        var manager = new RecurringJobManager(storage);
        if (schedule.Length == 0)
            manager.RemoveIfExists(name);
        else
            manager.AddOrUpdate(name, job, schedule, new RecurringJobOptions { TimeZone = TimeZoneInfo.Utc, MisfireHandling = MisfireHandlingMode.Ignorable });
    }

    private async Task PrepareAsync(CancellationToken cancellation)
    {
        if (database is null)
            return;
        while (true)
        {
            try
            {
                await database.PrepareAsync(cancellation);
                return;
            }
            catch (JobDatabaseException away)
            {
                NoteAway(away.Message);
            }

            await PauseAsync(cancellation);
        }
    }

    // The longer, the oftener it could not be used in a row.
    private Task PauseAsync(CancellationToken cancellation) => Task.Delay(_backOff.Delay(_failures++), time, cancellation);

    private async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        try
        {
            await database!.RequireAnswerAsync(cancellation);
            return true;
        }
        catch (JobDatabaseException away)
        {
            NoteAway(away.Message);
            return false;
        }
    }

    // Once for each time that it is away: the log is for what changes.
    private void NoteAway(string why)
    {
        if (!_isAway)
            LogAway(logger, why);
        _isAway = true;
    }

    private async Task StopAsync(BackgroundJobServer server)
    {
        using var limit = new CancellationTokenSource(ShutdownLimit, time);
        server.SendStop();
        try
        {
            await server.WaitForShutdownAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            LogSlow(logger, ShutdownLimit.TotalSeconds);
        }

        // Waits once more for what is still running, as long as its options say, on this thread.
        await Task.Run(server.Dispose, CancellationToken.None);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Jobs run; what becomes of them is kept in {Where}")]
    private static partial void LogServing(ILogger logger, string where);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The PostgreSQL database of the jobs cannot be used: {Failure}; NEDs are worked and actions carried out without it, and recurring jobs go on when it answers: see that it runs and that the Secret of reconciler.jobs.postgres has the right connection string")]
    private static partial void LogAway(ILogger logger, string failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Jobs that were asked to stop are not over after {Seconds} s; they are begun again later")]
    private static partial void LogSlow(ILogger logger, double seconds);
}
