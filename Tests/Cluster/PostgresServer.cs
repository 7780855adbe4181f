using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace Enclaves.Tests.Cluster;

/// <summary>Debian's PostgreSQL as a process of the test, with a data folder of its own that goes with it.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    // Nobody: the server refuses to be root, and owns nothing else.
    private const string Uid = "65534";

    private static readonly ConcurrentDictionary<PostgresServer, bool> Running = new();

    private readonly string _folder;
    private readonly int _port;
    private Process? _server;

    // Whatever happens, it does not outlive the tests; one whose folder is gone ends by itself.
    static PostgresServer() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var server in Running.Keys.Where(server => server._server is { HasExited: false }))
            server._server!.Kill();
    };

    private PostgresServer(string folder, int port) => (_folder, _port) = (folder, port);

    /// <summary>How to reach it.</summary>
    public string Connection => $"Host=127.0.0.1;Port={_port};Database=postgres;Username=enclaves;Password={Password}";

    /// <summary>Any will do; a test looks for it where it must not be.</summary>
    public static string Password => "open-sesame-7f3a";

    private string Data => Path.Combine(_folder, "data");

    // Whatever Debian's version is.
    private static string Programs => Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(version => Path.Combine(version, "bin")).First();

    /// <summary>Makes a database that does not run yet.</summary>
    public static async Task<PostgresServer> Create()
    {
        var folder = Directory.CreateTempSubdirectory("enclaves-postgres").FullName;
        var server = new PostgresServer(folder, ChildProcess.Ports.Next());
        Running[server] = true;
        // Down to its data the server must be let through.
        for (var parent = new DirectoryInfo(folder); parent is not null; parent = parent.Parent)
        {
            if (!parent.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
                parent.UnixFileMode |= UnixFileMode.OtherExecute;
        }

        await Run("chown", Uid, folder);
        await Run("setpriv", [.. AsNobody, Path.Combine(Programs, "initdb"), "--pgdata", server.Data, "--username", "enclaves", "--auth", "trust", "--no-sync"]);
        return server;
    }

    /// <summary>Starts it and waits until it takes connections.</summary>
    public async Task Start()
    {
        await Wait.Until("PostgreSQL takes connections", async () =>
        {
            // One that was killed may leave children behind for a moment, before whose end another is refused.
            if (_server is null || _server.HasExited)
            {
                _server?.Dispose();
                _server = Process.Start(new ProcessStartInfo("setpriv",
                [
                    .. AsNobody, Path.Combine(Programs, "postgres"), "-D", Data, "-p", $"{_port}",
                    "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "logging_collector=off",
                ])
                { RedirectStandardError = true })!;
                _server.BeginErrorReadLine();
                _server.ErrorDataReceived += (_, _) => { };
            }

            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync("127.0.0.1", _port);
            }
            catch (SocketException)
            {
                return false;
            }

            var ready = await TryRun(Path.Combine(Programs, "pg_isready"), "-h", "127.0.0.1", "-p", $"{_port}");
            return ready.Code == 0;
        });
    }

    /// <summary>SIGKILL.</summary>
    public async Task Kill()
    {
        if (_server is null)
            return;
        _server.Kill();
        await _server.WaitForExitAsync();
    }

    /// <summary>What a query answers, a line for each row.</summary>
    public async Task<string[]> Query(string sql)
    {
        var (code, output) = await TryRun(Path.Combine(Programs, "psql"), "-h", "127.0.0.1", "-p", $"{_port}", "-U", "enclaves", "-d", "postgres", "-At", "-c", sql);
        return code == 0 ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries) : throw new IOException($"psql: {output}");
    }

    /// <summary>All that is in it, as text.</summary>
    public async Task<string> Dump() =>
        (await TryRun(Path.Combine(Programs, "pg_dump"), "-h", "127.0.0.1", "-p", $"{_port}", "-U", "enclaves", "-d", "postgres")).Output;

    public async ValueTask DisposeAsync()
    {
        await Kill();
        Running.TryRemove(this, out _);
        _server?.Dispose();
        // Its children end by themselves when they miss it, and may still write.
        for (var left = 50; Directory.Exists(_folder); left--)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (IOException) when (left > 0)
            {
                await Task.Delay(100);
            }
        }
    }

    private static string[] AsNobody => ["--reuid", Uid, "--regid", Uid, "--clear-groups"];

    private static async Task Run(string program, params string[] arguments)
    {
        var (code, output) = await TryRun(program, arguments);
        if (code != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit {code}: {output}");
    }

    private static async Task<(int Code, string Output)> TryRun(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return (process.ExitCode, output + await errors);
    }
}
