using System.Net;
using System.Runtime.InteropServices;
using Enclaves.Channel.Transport;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Containers.Cri;
using Enclaves.Orchestrator.Containers.Local;
using Enclaves.Orchestrator.Egress;
using Enclaves.Orchestrator.Init;
using Enclaves.Orchestrator.Logs;
using Enclaves.Orchestrator.Nsm;
using Enclaves.Orchestrator.Options;
using Enclaves.Orchestrator.Processes;
using Enclaves.Orchestrator.Secrets;
using Enclaves.Orchestrator.Session;
using Enclaves.Orchestrator.Volumes;

namespace Enclaves.Orchestrator;

/// <summary>Puts the parts together and runs them until the end is asked for.</summary>
internal static class OrchestratorHost
{
    private const int LogBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan SignalGrace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReplyDrain = TimeSpan.FromSeconds(2);

    /// <summary>Serves sessions; returns the reason of the end.</summary>
    public static async Task<ShutdownReason> RunAsync(OrchestratorOptions options)
    {
        // Empty: everything that can be set is an option of this program, and no file or variable of the framework's is looked for.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        var shutdown = new Shutdown();
        // Listens before anything else can fail, and before the boot is reported: the host may connect at once from then on.
        var transport = GuestTransport.For(options.Listen);
        var listener = transport.Listen(options.Listen.Port);
        AddServices(builder, options, transport, shutdown);
        SessionServer.Configure(builder, listener);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ReplyDrain);

        await using var app = builder.Build();
        app.MapGrpcService<OrchestratorService>();
        app.Services.GetRequiredService<IContainerRuntime>().Begin();
        var supervisor = app.Services.GetRequiredService<EnclaveSupervisor>();
        using var parent = WatchParent(app.Services.GetRequiredService<Children>());
        using var term = OnSignal(PosixSignal.SIGTERM, supervisor, shutdown);
        using var interrupt = OnSignal(PosixSignal.SIGINT, supervisor, shutdown);
        await app.StartAsync();
        if (PowerSwitch.IsInit && NsmDevice.IsThere)
            await BootSignal.SendAsync(transport);
        Console.Error.WriteLine($"orchestrator: serving {options.Listen}, runtime {options.Runtime}");

        var reason = await shutdown.Requested;
        await app.StopAsync();
        return reason;
    }

    private static void AddServices(WebApplicationBuilder builder, OrchestratorOptions options, IGuestTransport transport, Shutdown shutdown)
    {
        var time = TimeProvider.System;
        var logs = new LogBuffer(LogBytes);
        builder.Logging.ClearProviders();
        // The provider decides: the level can change with each session.
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Logging.AddFilter("Grpc", LogLevel.Warning);
        var log = new OrchestratorLog(logs, time, options.LogLevel);
        builder.Logging.AddProvider(log);

        var services = builder.Services;
        services.AddSingleton(time);
        services.AddSingleton(logs);
        services.AddSingleton(log);
        services.AddSingleton(transport);
        services.AddSingleton(shutdown);
        services.AddSingleton(new Children(collectOrphans: PowerSwitch.IsInit));
        services.AddSingleton(new GuestClock(GuestClock.SetKernelClock));
        services.AddSingleton(PlaceOf(options));
        services.AddSingleton<StatusChanges>();
        services.AddSingleton<Credentials>();
        services.AddSingleton<SecretStore>();
        services.AddSingleton(new VolumeFolders(PlaceOf(options).Folder, mounts: PowerSwitch.IsInit));
        services.AddSingleton(provider => new LogFiles(PlaceOf(options).Folder, logs, provider.GetRequiredService<ILogger<LogFiles>>()));
        services.AddSingleton<IMeasurementRegister>(NsmDevice.IsThere ? new NsmRegister(new NsmDevice()) : new SimulatedRegister());
        services.AddSingleton<ManifestSeal>();
        services.AddSingleton<SessionFacts>();
        services.AddSingleton<StatusReport>();
        services.AddSingleton<ContainerdProcess>();
        services.AddSingleton(provider => new EgressRelays(
            transport, () => provider.GetRequiredService<SessionFacts>().EgressPort, provider.GetRequiredService<ILogger<EgressRelays>>()));
        services.AddSingleton(provider => CreateRuntime(provider, options));
        services.AddSingleton<EnclaveSupervisor>();
    }

    private static IContainerRuntime CreateRuntime(IServiceProvider provider, OrchestratorOptions options)
    {
        var time = provider.GetRequiredService<TimeProvider>();
        var logs = provider.GetRequiredService<LogBuffer>();
        if (options.Runtime == RuntimeKind.Process)
            return new ProcessRuntime(provider.GetRequiredService<Children>(), logs, PlaceOf(options).HostsFile, time, provider.GetRequiredService<ILogger<ProcessRuntime>>());
        // Outside an enclave of its own containerd is somebody else's to run.
        var containerd = PowerSwitch.IsInit ? provider.GetRequiredService<ContainerdProcess>() : null;
        var connection = new CriConnection(options.ContainerdSocket, time);
        return new CriRuntime(
            connection, containerd, logs, provider.GetRequiredService<Shutdown>(), time, provider.GetRequiredService<ILogger<CriRuntime>>());
    }

    private static EnclavePlace PlaceOf(OrchestratorOptions options)
    {
        if (PowerSwitch.IsInit)
            return new EnclavePlace("/run/enclave", InitSystem.HostsFile, IPAddress.Parse("127.64.0.1"), OwnsNetwork: true);
        // All enclaves that are processes of one machine share its 127.0.0.0/8: each takes a block of its own.
        var id = Environment.ProcessId;
        var first = new IPAddress(new byte[] { 127, (byte)(65 + (id / 254 % 180)), (byte)(1 + (id % 254)), 1 });
        var directory = options.Listen.Scheme == ChannelScheme.Directory ? options.Listen.Path : Path.GetTempPath();
        return new EnclavePlace(directory, Path.Combine(directory, "hosts"), first, OwnsNetwork: false);
    }

    private static IDisposable? WatchParent(Children children) => PowerSwitch.IsInit
        ? null
        : ParentWatch.Start(() =>
        {
            children.KillAll();
            PowerSwitch.Off("the process that started it is gone", exitCode: 1);
        });

    private static PosixSignalRegistration OnSignal(PosixSignal signal, EnclaveSupervisor supervisor, Shutdown shutdown) =>
        PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            _ = Task.Run(async () =>
            {
                try
                {
                    await supervisor.StopAsync(SignalGrace, CancellationToken.None);
                }
                finally
                {
                    shutdown.Request($"received {signal}");
                }
            });
        });
}
