using System.Net;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Transport;
using Enclaves.Orchestrator;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Egress;
using Enclaves.Orchestrator.Init;
using Enclaves.Orchestrator.Logs;
using Enclaves.Orchestrator.Secrets;
using Enclaves.Orchestrator.Session;
using Enclaves.Orchestrator.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Enclaves.Tests.Unit.Boundary;

/// <summary>
/// The enclave's side of the session, whole, with a runtime that starts nothing. Its manifest is sealed from the beginning, so that no case
/// changes what the next one meets.
/// </summary>
internal sealed class SessionParts : IAsyncDisposable
{
    private readonly NoRuntime _runtime = new();
    private readonly EnclaveSupervisor _supervisor;

    public SessionParts(string folder)
    {
        var time = TimeProvider.System;
        var transport = GuestTransport.For(ChannelEndpoint.Directory(folder, 7000));
        var changes = new StatusChanges();
        var logs = new LogBuffer(64 * 1024);
        var facts = new SessionFacts(
            new GuestClock(_ => throw new InvalidOperationException("the clock was set")), new OrchestratorLog(logs, time, LogLevel.Critical), time, NullLogger<SessionFacts>.Instance);
        var (credentials, secrets, shutdown) = (new Credentials(), new SecretStore(), new Shutdown());
        _supervisor = new EnclaveSupervisor(
            _runtime, transport, new EgressRelays(transport, () => facts.EgressPort, NullLogger<EgressRelays>.Instance),
            new EnclavePlace(folder, Path.Combine(folder, "hosts"), IPAddress.Parse("127.64.0.1"), OwnsNetwork: false),
            credentials, secrets, new VolumeFolders(folder, mounts: false), new LogFiles(folder, logs, NullLogger<LogFiles>.Instance), changes, shutdown, time, NullLogger<EnclaveSupervisor>.Instance);
        var seal = new ManifestSeal(new SimulatedRegister());
        Sealed = ManifestCodec.Write(ManifestFuzz.Everything() with { Name = "sealed" });
        seal.Offer(Sealed, ManifestCodec.Digest(Sealed), out _);
        Service = new OrchestratorService(
            _supervisor, seal, facts, credentials, secrets, new StatusReport(_supervisor, facts), changes, logs, shutdown, time,
            NullLogger<OrchestratorService>.Instance);
    }

    /// <summary>Canonical bytes of the manifest that the enclave has.</summary>
    public byte[] Sealed { get; }

    public OrchestratorService Service { get; }

    /// <summary>Serves it as the Orchestrator does, on the channel in this folder.</summary>
    public async Task<WebApplication> ServeAsync(string folder, uint port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(Service);
        SessionServer.Configure(builder, GuestTransport.For(ChannelEndpoint.Directory(folder, port)).Listen(port));
        var app = builder.Build();
        app.MapGrpcService<OrchestratorService>();
        await app.StartAsync();
        return app;
    }

    public async ValueTask DisposeAsync()
    {
        await _supervisor.DisposeAsync();
        await _runtime.DisposeAsync();
    }

    // The enclave never gets as far as to start anything.
    private sealed class NoRuntime : IContainerRuntime
    {
        public void Begin() => throw new NotSupportedException();

        public Task PrepareAsync(EnclaveManifest manifest, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<string> PullAsync(string image, RegistryLogin? login, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<string> StartAsync(ContainerStart start, uint attempt, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<ContainerExit> WaitAsync(string id, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<ExecResult> ExecAsync(string id, IReadOnlyList<string> command, TimeSpan timeout, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<ContainerExit> StopAsync(string id, TimeSpan grace, CancellationToken cancellation) => throw new NotSupportedException();

        public Task RemoveAsync(string id, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
