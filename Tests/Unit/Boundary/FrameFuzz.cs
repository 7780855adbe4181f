using System.Net.Sockets;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Google.Protobuf;

namespace Enclaves.Tests.Unit.Boundary;

/// <summary>Mutated HTTP/2 on the control port: the frames of a greeting and of a manifest, on a connection of their own for each case.</summary>
internal sealed class FrameFuzz(string socket)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromMilliseconds(20);

    // RFC 9113, 3.4 and 4.1: the preface, SETTINGS, a request's HEADERS, a gRPC message in DATA.
    private static readonly byte[] Start =
    [
        .. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(4, 0, 0, []),
        .. Call(1, "/enclaves.channel.v1.Orchestrator/Hello", new HelloRequest { ProtocolVersion = 1, Hostname = "fuzz" }),
        .. Call(3, "/enclaves.channel.v1.Orchestrator/PutManifest", new ManifestChunk { Digest = ByteString.CopyFrom(new byte[48]), Data = ByteString.CopyFrom(ManifestCodec.Write(ManifestFuzz.Everything())) }),
        .. Call(5, "/enclaves.channel.v1.Orchestrator/Health", new HealthRequest()),
    ];

    /// <summary>Sends one case and hangs up.</summary>
    public async Task RunAsync(int seed, int number, CancellationToken cancellation)
    {
        var random = new Random(FuzzSeed.Of(seed, number));
        var bytes = WireMutator.Mutate(Start, random);
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
        try
        {
            await connection.SendAsync(bytes, cancellation);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(AnswerLimit);
            var answer = new byte[4096];
            while (await connection.ReceiveAsync(answer, limit.Token) > 0)
            {
                // What it says is not the point: that it goes on serving others is.
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            // It hung up, or waits for the rest.
        }
    }

    private static byte[] Call(int stream, string path, IMessage message)
    {
        var body = message.ToByteArray();
        byte[] data = [0, (byte)(body.Length >> 24), (byte)(body.Length >> 16), (byte)(body.Length >> 8), (byte)body.Length, .. body];
        // RFC 7541: literals without indexing, names from the static table where it has them.
        byte[] headers = [0x83, 0x86, 0x04, (byte)path.Length, .. System.Text.Encoding.ASCII.GetBytes(path), .. Literal("content-type", "application/grpc"), .. Literal("te", "trailers")];
        return [.. Frame(1, 4, stream, headers), .. Frame(0, 1, stream, data)];
    }

    private static byte[] Literal(string name, string value) =>
        [0, (byte)name.Length, .. System.Text.Encoding.ASCII.GetBytes(name), (byte)value.Length, .. System.Text.Encoding.ASCII.GetBytes(value)];

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload) =>
        [(byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, type, flags, 0, 0, 0, (byte)stream, .. payload];
}
