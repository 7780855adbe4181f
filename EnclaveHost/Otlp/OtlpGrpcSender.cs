using Enclaves.EnclaveHost.Otlp.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Enclaves.EnclaveHost.Otlp;

/// <summary>OTLP over gRPC.</summary>
internal sealed class OtlpGrpcSender : IOtlpSender
{
    // "Retryable" in the OTLP specification, and the one that is so only with a time: a collector that has no room has it later.
    private static readonly StatusCode[] Retryable =
    [
        StatusCode.Cancelled, StatusCode.DeadlineExceeded, StatusCode.Aborted, StatusCode.OutOfRange, StatusCode.Unavailable,
        StatusCode.DataLoss, StatusCode.ResourceExhausted,
    ];

    private readonly GrpcChannel _channel;
    private readonly LogsService.LogsServiceClient _client;

    public OtlpGrpcSender(Uri endpoint)
    {
        _channel = GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions { MaxReceiveMessageSize = 64 * 1024 });
        _client = new LogsService.LogsServiceClient(_channel);
    }

    public async Task<OtlpAnswer> SendAsync(ExportLogsServiceRequest request, IReadOnlyList<(string Name, string Value)> headers, CancellationToken cancellation)
    {
        var metadata = new Metadata();
        foreach (var (name, value) in headers)
            metadata.Add(name, value);
        try
        {
            return OtlpAnswer.Of(await _client.ExportAsync(request, metadata, cancellationToken: cancellation));
        }
        catch (RpcException e)
        {
            var problem = $"{e.StatusCode}: {e.Status.Detail}";
            return Retryable.Contains(e.StatusCode) ? OtlpAnswer.Later(problem) : OtlpAnswer.Refused(problem);
        }
    }

    public void Dispose() => _channel.Dispose();
}
