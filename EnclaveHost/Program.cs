using System.Collections;
using Enclaves.Channel.Logs;
using Enclaves.Channel.Manifest;
using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Drivers.Nitro;
using Enclaves.EnclaveHost.Http;
using Enclaves.EnclaveHost.Lifecycle;
using Enclaves.EnclaveHost.Log;
using Enclaves.EnclaveHost.Node;
using Enclaves.EnclaveHost.Options;
using Enclaves.EnclaveHost.Otlp;
using Enclaves.EnclaveHost.Session;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Enclaves.EnclaveHost;

/// <summary>
/// The container of an enclave pod. Exit codes: 0 stopped in order, 1 the enclave failed for good, 2 wrong options. The reason is in the
/// log and in the termination message.
/// </summary>
internal static class Program
{
    /// <summary>Variable of the runtime (System.Net.Sockets, SocketAsyncEngine), which it reads with its first socket.</summary>
    internal const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    public static async Task<int> Main(string[] args)
    {
        // What follows a socket's event is done by who saw it rather than by another thread: half of a relay's latency is that hand-over.
        // Nothing of this program blocks there.
        Environment.SetEnvironmentVariable(InlineCompletions, "1");
        OpenFiles.Raise();
        if (args is ["install-profile", var source, var destination])
            return await ProfileInstaller.RunAsync(source, destination, Console.Out);
        if (args is ["check-node", .. var size])
            return CheckNode(size);
        var (options, problems) = EnclaveOptions.Read(args, ReadEnvironment());
        using var lines = new StdoutLines(Console.OpenStandardOutput(), TimeProvider.System);
        using var loggers = CreateLoggers(lines, options);
        var logger = loggers.CreateLogger("Enclaves.EnclaveHost");
        if (problems.Count > 0)
            return Exit(2, string.Join("\n", problems), options, logger);
        LoadedManifest manifest;
        try
        {
            manifest = LoadedManifest.Read(options.ManifestPath);
        }
        catch (ManifestException e)
        {
            return Exit(1, $"{e.Message} (file {options.ManifestPath})", options, logger);
        }

        await using var otlp = ExportLog(options, manifest, lines, loggers);
        try
        {
            var last = await RunAsync(options, manifest, lines, otlp, loggers);
            return last.To == EnclaveState.Stopped ? 0 : Exit(1, $"{last.Reason}: {last.Message}", options, logger);
        }
        catch (IOException e)
        {
            return Exit(1, $"the HTTP server cannot start: {e.Message}; choose another --http-port", options, logger);
        }
        catch (Exception e)
        {
            // A defect of ours: the kubelet starts the container again, and a human needs all there is to know.
            return Exit(1, $"enclave-host ended unexpectedly: {e}", options, logger);
        }
    }

    private static int CheckNode(string[] size)
    {
        var (options, problems) = EnclaveOptions.Read(size, ReadEnvironment());
        if (problems.Count == 0)
            return NodeCommands.Check(options, Console.Out);
        Console.Error.WriteLine(string.Join("\n", problems));
        return 2;
    }

    private static async Task<Transition> RunAsync(EnclaveOptions options, LoadedManifest manifest, StdoutLines lines, OtlpExporter? otlp, ILoggerFactory loggers)
    {
        var time = TimeProvider.System;
        var state = new EnclaveStateMachine(time, loggers.CreateLogger<EnclaveStateMachine>());
        var times = new StartTimes(StartTimes.SinceProgramStart(), state, time, loggers.CreateLogger<StartTimes>());
        var view = new EnclaveView();
        var logs = new LogForwarder(lines);
        var console = new LogSource("console", "stdout");
        Action<string>? onConsole = options.Debug ? text => lines.Write(new LogLine(time.GetUtcNow(), console, text)) : null;
        IEnclaveDriver driver = options.Driver switch
        {
            "nitro" => new NitroDriver(options, onConsole, time, loggers.CreateLogger<NitroDriver>()),
            "qemu" => new QemuDriver(options, onConsole, loggers.CreateLogger<QemuDriver>()),
            _ => new ProcessDriver(options, onConsole),
        };
        var secrets = new SecretSync(options, manifest, time, loggers.CreateLogger<SecretSync>());
        var sessions = new SessionLoop(options, manifest, state, view, times, logs, secrets, time, loggers.CreateLogger<SessionLoop>());
        var lifecycle = new EnclaveLifecycle(options, manifest, driver, state, view, sessions, time, loggers);
        var status = new StatusReader(manifest, driver, state, view, lifecycle, logs, lines, otlp, options.OtlpEndpoint?.AbsoluteUri ?? "", time);

        await using var app = BuildServer(options, lines);
        Endpoints.Map(app, state, status);
        await app.StartAsync();
        // SIGTERM only raises ApplicationStopping; the server goes on answering (503 on /readyz) until the enclave is stopped.
        await lifecycle.RunAsync(app.Lifetime.ApplicationStopping);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await app.StopAsync(limit.Token);
        return state.Last;
    }

    private static WebApplication BuildServer(EnclaveOptions options, StdoutLines lines)
    {
        // Empty: everything that can be set is an option of this program, and no file or variable of the framework's is looked for.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        AddLog(builder.Logging, lines, options);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server =>
        {
            server.AddServerHeader = false;
            server.Limits.MaxConcurrentConnections = 128;
            server.Limits.MaxRequestBodySize = 0;
            server.Listen(options.BindAddress, options.HttpPort, listen => listen.Protocols = HttpProtocols.Http1);
        });
        return builder.Build();
    }

    // What is written from here on goes to the collector, too.
    private static OtlpExporter? ExportLog(EnclaveOptions options, LoadedManifest manifest, StdoutLines lines, ILoggerFactory loggers)
    {
        if (options.OtlpEndpoint is not { } endpoint)
            return null;
        var variables = ReadEnvironment();
        IOtlpSender sender = options.OtlpProtocol == "http" ? new OtlpHttpSender(endpoint) : new OtlpGrpcSender(endpoint);
        var records = new OtlpRecords(
            [
                ("service.name", manifest.Content.Name),
                ("service.namespace", manifest.Content.Namespace),
                ("service.instance.id", variables.GetValueOrDefault("POD_UID", "")),
                ("k8s.namespace.name", variables.GetValueOrDefault("POD_NAMESPACE", "")),
                ("k8s.pod.name", variables.GetValueOrDefault("POD_NAME", "")),
                ("k8s.pod.uid", variables.GetValueOrDefault("POD_UID", "")),
                ("k8s.node.name", variables.GetValueOrDefault("NODE_NAME", "")),
            ],
            typeof(Program).Assembly.GetName().Version?.ToString(3) ?? "");
        var exporter = new OtlpExporter(sender, new OtlpHeaders(options.OtlpHeadersFolder), records, TimeProvider.System, loggers.CreateLogger<OtlpExporter>());
        lines.Copy = exporter.Add;
        return exporter;
    }

    private static ILoggerFactory CreateLoggers(StdoutLines lines, EnclaveOptions options) => LoggerFactory.Create(logging => AddLog(logging, lines, options));

    private static void AddLog(ILoggingBuilder logging, StdoutLines lines, EnclaveOptions options)
    {
        logging.ClearProviders();
        logging.AddProvider(new HostLoggerProvider(lines, TimeProvider.System));
        logging.SetMinimumLevel(options.LogLevel switch
        {
            "debug" => LogLevel.Debug,
            "warn" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.Information,
        });
        logging.AddFilter("Microsoft", LogLevel.Warning);
    }

    private static int Exit(int code, string reason, EnclaveOptions options, ILogger logger)
    {
        ProgramLog.Exiting(logger, code, reason);
        TerminationMessage.Write(options.TerminationMessagePath, reason, logger);
        return code;
    }

    private static Dictionary<string, string> ReadEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? "", StringComparer.Ordinal);
}

internal static partial class ProgramLog
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Error, Message = "exit code {Code}: {Reason}")]
    public static partial void Exiting(ILogger logger, int code, string reason);
}
