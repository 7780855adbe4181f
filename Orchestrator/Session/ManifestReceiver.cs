using System.Buffers;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Grpc.Core;

namespace Enclaves.Orchestrator.Session;

/// <summary>Puts the chunks of a manifest together, within every bound.</summary>
internal static class ManifestReceiver
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Reads the whole stream.</summary>
    /// <exception cref="RpcException">A bound was exceeded or the first chunk has no digest.</exception>
    public static async Task<(byte[] Digest, ReadOnlyMemory<byte> Bytes)> ReadAsync(
        IAsyncStreamReader<ManifestChunk> chunks, CancellationToken cancellation)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(Limit);
        var bytes = new ArrayBufferWriter<byte>(ManifestLimits.ChunkBytes);
        byte[]? digest = null;
        try
        {
            while (await chunks.MoveNext(timed.Token))
            {
                var chunk = chunks.Current;
                digest ??= CheckDigest(chunk);
                if (chunk.Data.Length > ManifestLimits.ChunkBytes)
                    throw Refuse(StatusCode.InvalidArgument, $"a chunk has {chunk.Data.Length} bytes, allowed are {ManifestLimits.ChunkBytes}");
                if (bytes.WrittenCount + chunk.Data.Length > ManifestLimits.MaxBytes)
                    throw Refuse(StatusCode.ResourceExhausted, $"more than {ManifestLimits.MaxBytes} bytes");
                bytes.Write(chunk.Data.Span);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Refuse(StatusCode.DeadlineExceeded, $"not complete within {Limit.TotalSeconds} s");
        }

        return digest is null ? throw Refuse(StatusCode.InvalidArgument, "no chunk was sent") : (digest, bytes.WrittenMemory);
    }

    private static byte[] CheckDigest(ManifestChunk first) =>
        first.Digest.Length == ManifestCodec.DigestBytes
            ? first.Digest.ToByteArray()
            : throw Refuse(
                StatusCode.InvalidArgument, $"the first chunk's digest has {first.Digest.Length} bytes, SHA-384 has {ManifestCodec.DigestBytes}");

    private static RpcException Refuse(StatusCode code, string problem) => new(new Status(code, $"manifest: {problem}"));
}
