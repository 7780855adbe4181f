using Cronos;
using Microsoft.Extensions.Configuration.CommandLine;

namespace Enclaves.Reconciler.Jobs;

/// <summary>
/// What is done at fixed times, and where it is written down: options --jobs:enabled and so on. A schedule has five fields as cron has them,
/// or six with seconds in front, in UTC; an empty one means never. docs/jobs.md says what each job does.
/// </summary>
internal sealed record JobSettings
{
    /// <summary>Option of the connection string, which is a secret: it comes from the environment (ENCLAVES_JOBS__POSTGRES) alone.</summary>
    public const string PostgresOption = "jobs:postgres";

    // A name that needs no quotation marks in SQL.
    private const int LongestSchema = 63;

    /// <summary>Whether there are any. Without them actions are carried out all the same, and a timer looks at every NED.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>When every NED is looked at again.</summary>
    public string Resync { get; init; } = "*/10 * * * *";

    /// <summary>When every enclave is asked how it is.</summary>
    public string HealthSweep { get; init; } = "*/30 * * * * *";

    /// <summary>When the Webhook's certificate is looked at, besides every ten seconds.</summary>
    public string Certificates { get; init; } = "7 * * * *";

    /// <summary>When manifests are looked for that no ReplicaSet uses.</summary>
    public string Manifests { get; init; } = "37 * * * *";

    /// <summary>Connection string of a PostgreSQL database that keeps the history of jobs; empty to keep it in memory.</summary>
    public string Postgres { get; init; } = "";

    /// <summary>Schema in that database, this installation's own: two that share one would take each other's jobs.</summary>
    public string Schema { get; init; } = "enclaves";

    /// <summary>Whether the history is kept in PostgreSQL.</summary>
    public bool KeepsHistory => Postgres.Length > 0;

    /// <summary>Reads a schedule that is not empty.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static CronExpression Parse(string schedule) => CronExpression.Parse(schedule,
        schedule.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard);

    /// <summary>Checks what was given.</summary>
    /// <exception cref="InvalidOperationException">An option has a value that is not allowed, or came a way that is not.</exception>
    public void Require(IConfiguration configuration)
    {
        foreach (var (name, schedule) in new[] { ("resync", Resync), ("healthSweep", HealthSweep), ("certificates", Certificates), ("manifests", Manifests) })
        {
            try
            {
                if (schedule.Length > 0)
                    Parse(schedule);
            }
            catch (CronFormatException wrong)
            {
                throw new InvalidOperationException($"--jobs:{name} \"{schedule}\": {wrong.Message.TrimEnd('.')}; allowed are five fields of cron, six with seconds, or nothing for never", wrong);
            }
        }

        if (configuration is IConfigurationRoot root && root.Providers.OfType<CommandLineConfigurationProvider>().Any(line => line.TryGet(PostgresOption, out _)))
            throw new InvalidOperationException($"--{PostgresOption}: holds a password that every process could read there; give it as the environment variable ENCLAVES_JOBS__POSTGRES");
        if (Schema.Length is 0 or > LongestSchema || !char.IsAsciiLetterLower(Schema[0]) || !Schema.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_'))
            throw new InvalidOperationException($"--jobs:schema {Schema}: allowed are lower-case letters, digits and _, a letter first, {LongestSchema} characters at most");
        if (KeepsHistory)
            JobDatabase.RequireReadable(Postgres);
    }
}
