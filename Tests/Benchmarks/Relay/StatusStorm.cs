using Enclaves.Channel.Session;
using Enclaves.Channel.Transport;
using Enclaves.Orchestrator.Session;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Enclaves.Tests.Benchmarks.Relay;

/// <summary>
/// What an enclave may run in the Orchestrator's place: it sends the largest status that there can be, again and again, as fast as it is read,
/// and is healthy at every other check. Each status names its own number as the restarts of the container.
/// </summary>
internal sealed class StatusStorm : Channel.Session.Orchestrator.OrchestratorBase
{
    /// <summary>EnclaveHost's word for how many it has taken.</summary>
    public const string Counter = "enclave_container_restarts_total{container=\"app\"}";

    private const int Containers = 64;
    private const int MessageCharacters = 1024;
    private long _checks;

    /// <summary>Serves it until it is killed.</summary>
    public static async Task Run(string endpoint, CancellationToken cancellation)
    {
        var listen = ChannelEndpoint.Parse(endpoint);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<StatusStorm>();
        SessionServer.Configure(builder, GuestTransport.For(listen).Listen(listen.Port));
        await using var app = builder.Build();
        app.MapGrpcService<StatusStorm>();
        await app.StartAsync(cancellation);
        await Task.Delay(Timeout.Infinite, cancellation);
    }

    public override Task<HelloReply> Hello(HelloRequest request, ServerCallContext context) => Task.FromResult(new HelloReply { ProtocolVersion = request.ProtocolVersion });

    public override Task<PutSecretsReply> PutSecrets(PutSecretsRequest request, ServerCallContext context) => Task.FromResult(new PutSecretsReply());

    public override async Task<PutManifestReply> PutManifest(IAsyncStreamReader<ManifestChunk> requestStream, ServerCallContext context)
    {
        var reply = new PutManifestReply { Simulated = true };
        await foreach (var chunk in requestStream.ReadAllAsync(context.CancellationToken))
            reply.Digest = chunk.Digest.Length > 0 ? chunk.Digest : reply.Digest;
        return reply;
    }

    public override Task<HealthReply> Health(HealthRequest request, ServerCallContext context) =>
        Task.FromResult(new HealthReply { Healthy = Interlocked.Increment(ref _checks) % 2 == 0, Reason = "Storm", Message = new string('x', MessageCharacters) });

    public override async Task WatchStatus(WatchStatusRequest request, IServerStreamWriter<EnclaveStatus> responseStream, ServerCallContext context)
    {
        var status = new EnclaveStatus { Phase = "Running" };
        for (var i = 0; i < Containers; i++)
            status.Containers.Add(new ContainerStatus { Name = i == 0 ? "app" : $"other-{i}", State = "Running", Ready = true, Message = new string('x', MessageCharacters) });
        while (!context.CancellationToken.IsCancellationRequested)
        {
            status.Containers[0].Restarts++;
            await responseStream.WriteAsync(status, context.CancellationToken);
        }
    }

    public override Task StreamLogs(StreamLogsRequest request, IServerStreamWriter<LogBatch> responseStream, ServerCallContext context) =>
        Task.Delay(Timeout.Infinite, context.CancellationToken);
}
