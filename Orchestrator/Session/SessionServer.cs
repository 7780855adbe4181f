using Enclaves.Channel.Manifest;
using Enclaves.Channel.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Enclaves.Orchestrator.Session;

/// <summary>Kestrel as the session needs it: HTTP/2 only, on the channel, and bounded everywhere, since the other side is not trusted.</summary>
internal static class SessionServer
{
    // The largest set of Secrets and credentials; all else is smaller.
    private const int MaxMessageBytes = ManifestLimits.MaxSecretBytes + (512 * 1024);

    public static void Configure(WebApplicationBuilder builder, ChannelListener listener)
    {
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 16;
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 32;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 256 * 1024;
            kestrel.Limits.Http2.InitialStreamWindowSize = 128 * 1024;
            // Finds out that the host is gone: vsock does not always say.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(10);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(new ChannelListenEndPoint(listener), options => options.Protocols = HttpProtocols.Http2);
        });
        // After Kestrel's own: the last one that can listen on an endpoint is asked first.
        builder.Services.AddSingleton<IConnectionListenerFactory, ChannelConnectionListenerFactory>();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = MaxMessageBytes;
            grpc.MaxSendMessageSize = MaxMessageBytes;
            grpc.EnableDetailedErrors = false;
        });
    }
}
