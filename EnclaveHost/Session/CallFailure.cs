using Grpc.Core;

namespace Enclaves.EnclaveHost.Session;

/// <summary>Why a call to the enclave failed, in words.</summary>
internal static class CallFailure
{
    public static string Describe(Exception failure) => failure switch
    {
        // gRPC leaves the detail of this one empty.
        RpcException { StatusCode: StatusCode.DeadlineExceeded } => "no answer in time",
        RpcException call => $"{call.StatusCode}: {call.Status.Detail}",
        _ => failure.Message,
    };
}
