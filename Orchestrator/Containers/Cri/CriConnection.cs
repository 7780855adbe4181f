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

    public void Dispose() => Channel.Dispose();
}
