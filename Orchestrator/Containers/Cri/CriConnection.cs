using System.Net.Sockets;
using Enclaves.Orchestrator.Containers.Cri.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Enclaves.Orchestrator.Containers.Cri;

/// <summary>gRPC to containerd over its Unix socket. Every call is given a deadline: containerd is trusted, but not to be quick.</summary>
internal sealed class CriConnection : IDisposable
{
    /// <summary>For calls that only look or make small changes.</summary>
    public static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(30);

    /// <summary>For calls that start something: a first sandbox unpacks an image and starts a shim.</summary>
    public static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    /// <summary>For the pull of one image.</summary>
    public static readonly TimeSpan PullLimit = TimeSpan.FromMinutes(30);

    private readonly TimeProvider _time;
    private readonly string _socketPath;

    public CriConnection(string socketPath, TimeProvider time)
    {
        _time = time;
        _socketPath = socketPath;
        Channel = GrpcChannel.ForAddress("http://containerd", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellation) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    try
                    {
                        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellation);
                        return new NetworkStream(socket, ownsSocket: true);
                    }
                    catch
                    {
                        socket.Dispose();
                        throw;
                    }
                },
            },
            // One call's failure must not make the next ones wait: the callers have back-offs of their own.
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(100),
            MaxReconnectBackoff = TimeSpan.FromSeconds(1),
        });
        Runtime = new RuntimeService.RuntimeServiceClient(Channel);
        Images = new ImageService.ImageServiceClient(Channel);
    }

    /// <summary>Whether containerd has made its socket: it serves from then on.</summary>
    public bool IsServed => File.Exists(_socketPath);

    public GrpcChannel Channel { get; }

    public RuntimeService.RuntimeServiceClient Runtime { get; }

    public ImageService.ImageServiceClient Images { get; }

    public CallOptions Within(TimeSpan limit, CancellationToken cancellation) =>
        new(deadline: (_time.GetUtcNow() + limit).UtcDateTime, cancellationToken: cancellation);

    /// <summary>Makes one call.</summary>
    /// <exception cref="OperationCanceledException">The caller has given it up. gRPC by itself reports that like a failure of containerd.</exception>
    /// <exception cref="RpcException">containerd's refusal, or that it did not answer in time.</exception>
    public async Task<TReply> CallAsync<TRequest, TReply>(
        Func<TRequest, CallOptions, AsyncUnaryCall<TReply>> method, TRequest request, TimeSpan limit, CancellationToken cancellation)
    {
        try
        {
            using var call = method(request, Within(limit, cancellation));
            return await call;
        }
        catch (RpcException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.DeadlineExceeded)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"containerd did not answer within {limit.TotalSeconds} s"));
        }
    }

    public void Dispose() => Channel.Dispose();
}
