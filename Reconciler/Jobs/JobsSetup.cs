using Enclaves.Reconciler.Actions;
using Hangfire;
using Hangfire.InMemory;

namespace Enclaves.Reconciler.Jobs;

/// <summary>Registers jobs and actions.</summary>
internal static class JobsSetup
{
    // A sweep every half minute would otherwise leave some thousands of runs behind in memory.
    private static readonly TimeSpan RememberedInMemory = TimeSpan.FromHours(1);

    /// <summary>Keeps what Hangfire tells of itself out of the log; of a job that fails it tells, and JobServer of a database that is away.</summary>
    public static ILoggingBuilder AddJobFilters(this ILoggingBuilder logging) => logging
        .AddFilter("Hangfire", LogLevel.None)
        .AddFilter("Hangfire.AutomaticRetryAttribute", LogLevel.Warning);

    /// <summary>
    /// Registers them. With jobs, <see cref="JobStorage"/> and all that Hangfire's dashboard needs are there; without, none of it.
    /// </summary>
    public static IServiceCollection AddJobs(this IServiceCollection services, JobSettings settings)
    {
        services.AddSingleton<ActionRunner>().AddHostedService<ActionDispatch>();
        if (!settings.Enabled)
            return services;
        if (settings.KeepsHistory)
            services.AddSingleton(new JobDatabase(settings)).AddSingleton<JobStorage>(provider => provider.GetRequiredService<JobDatabase>().Storage());
        else
            services.AddSingleton<JobStorage>(_ => new InMemoryStorage(new InMemoryStorageOptions { MaxExpirationTime = RememberedInMemory }));
        return services
            .AddSingleton(settings)
            .AddHangfire((provider, hangfire) => hangfire.UseStorage(provider.GetRequiredService<JobStorage>()))
            .AddSingleton<JobRuns>()
            .AddTransient<RecurringJobs>()
            .AddSingleton<IActionJobs, ActionJobs>()
            .AddTransient<ActionJob>()
            .AddHostedService<JobServer>();
    }
}
