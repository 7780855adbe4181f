using System.Net.Sockets;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Npgsql;

namespace Enclaves.Reconciler.Jobs;

/// <summary>The PostgreSQL database that keeps the history of jobs. It may be away at any time: nothing that matters is only there.</summary>
internal sealed class JobDatabase(JobSettings settings)
{
    // Of each wait for it: what waits longer is not worth waiting for, as all that is done by jobs is done without it.
    private const int ConnectSeconds = 4;
    private const int CommandSeconds = 10;

    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(15);

    private readonly string _connection = new NpgsqlConnectionStringBuilder(settings.Postgres)
    {
        Timeout = ConnectSeconds,
        CommandTimeout = CommandSeconds,
        ApplicationName = "enclaves-reconciler",
        IncludeErrorDetail = false,
        PersistSecurityInfo = false,
        Enlist = false,
    }.ConnectionString;

    /// <summary>Checks that a connection string can be read.</summary>
    /// <exception cref="InvalidOperationException">It cannot; the message says nothing of what is in it.</exception>
    public static void RequireReadable(string connection)
    {
        try
        {
            _ = new NpgsqlConnectionStringBuilder(connection).Host is { Length: > 0 }
                ? true
                : throw new ArgumentException("it names no Host");
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or InvalidCastException or KeyNotFoundException)
        {
            throw new InvalidOperationException(
                "ENCLAVES_JOBS__POSTGRES: is no connection string of Npgsql; it is like Host=db.example;Database=enclaves;Username=enclaves;Password=…");
        }
    }

    /// <summary>Hangfire's way to it. Making it asks the database nothing.</summary>
    public PostgreSqlStorage Storage()
    {
        var options = new PostgreSqlStorageOptions
        {
            SchemaName = settings.Schema,
            // By PrepareAsync, when it can be reached.
            PrepareSchemaIfNecessary = false,
            QueuePollInterval = TimeSpan.FromSeconds(1),
            // What a replica that has ended had begun is begun again by the next one, and goes on being held while its job runs.
            InvisibilityTimeout = TimeSpan.FromMinutes(1),
            UseSlidingInvisibilityTimeout = true,
            DistributedLockTimeout = TimeSpan.FromMinutes(1),
            JobExpirationCheckInterval = TimeSpan.FromMinutes(10),
        };
        return new PostgreSqlStorage(new NpgsqlConnectionFactory(_connection, options, null), options);
    }

    /// <summary>Makes the tables that are missing.</summary>
    /// <exception cref="JobDatabaseException">It cannot be reached, or refuses.</exception>
    public Task PrepareAsync(CancellationToken cancellation) => TryAsync(connection =>
    {
        PostgreSqlObjectsInstaller.Install(connection, settings.Schema);
        return RequireWritableAsync(connection, cancellation);
    }, cancellation);

    /// <summary>Asks whether it answers and takes writes.</summary>
    /// <exception cref="JobDatabaseException">It does not.</exception>
    public Task RequireAnswerAsync(CancellationToken cancellation) => TryAsync(connection => RequireWritableAsync(connection, cancellation), cancellation);

    private static async Task RequireWritableAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        // On in a standby too (PostgreSQL, "transaction_read_only").
        await using var command = new NpgsqlCommand("SELECT current_setting('transaction_read_only')", connection);
        if (await command.ExecuteScalarAsync(cancellation) is "on")
            throw new InvalidOperationException("it takes no writes, as a standby or a database that is set to read only");
    }

    private async Task TryAsync(Func<NpgsqlConnection, Task> use, CancellationToken cancellation)
    {
        try
        {
            // Away from the caller: some of it waits on its thread.
            await Task.Run(async () =>
            {
                await using var connection = new NpgsqlConnection(_connection);
                await connection.OpenAsync(cancellation);
                await use(connection);
            }, cancellation).WaitAsync(LookLimit, cancellation);
        }
        catch (Exception failure) when (failure is NpgsqlException or SocketException or IOException or TimeoutException or InvalidOperationException)
        {
            throw new JobDatabaseException(failure.GetBaseException().Message, failure);
        }
    }
}

/// <summary>The database of jobs cannot be used now.</summary>
internal sealed class JobDatabaseException(string message, Exception inner) : Exception(message, inner);
