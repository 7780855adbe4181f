using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// Large bodies are read one at a time, and not at all where they hold more values than any object has: read, one can take ten times its
/// bytes, and a pod's memory is bounded. Nearly every review is small and passes by them.
/// </summary>
internal sealed class LargeBodies : IDisposable
{
    private const long SmallBytes = 512 * 1024;

    // Twice what the objects have that etcd can hold, 1.5 MiB each, old and new together. Their memory is kept for the next one, by each thread.
    private const int MaxSeparators = 500_000;

    // A slow sender must not keep the others waiting: an API server sends the largest within a second.
    private static readonly MinDataRate LeastRate = new(bytesPerSecond: 1024 * 1024, gracePeriod: TimeSpan.FromSeconds(5));
    private static readonly SemaphoreSlim Turns = new(1);

    // Of whoever's turn it is. A byte more than is allowed, so that what is longer shows.
    private static readonly Lazy<byte[]> Buffer = new(() => new byte[AdmissionEndpoint.MaxBodyBytes + 1]);

    private LargeBodies()
    {
    }

    /// <summary>Waits for this request's turn, which ends when it is disposed; null where the body is small.</summary>
    /// <exception cref="BadHttpRequestException">The body is too large, too slow, or holds too many values.</exception>
    public static async Task<IDisposable?> Turn(HttpContext context)
    {
        if (context.Request.ContentLength is <= SmallBytes)
            return null;
        await Turns.WaitAsync(context.RequestAborted);
        var turn = new LargeBodies();
        try
        {
            context.Features.Get<IHttpMinRequestBodyDataRateFeature>()!.MinDataRate = LeastRate;
            context.Request.Body = await Read(context);
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    public void Dispose() => Turns.Release();

    private static async Task<MemoryStream> Read(HttpContext context)
    {
        var buffer = Buffer.Value;
        var length = await context.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, context.RequestAborted);
        var text = buffer.AsSpan(0, length);
        if (text.Count((byte)',') + text.Count((byte)'{') + text.Count((byte)'[') > MaxSeparators)
            throw new BadHttpRequestException($"the body holds too many values, allowed are {MaxSeparators}", StatusCodes.Status413PayloadTooLarge);
        return new MemoryStream(buffer, 0, length, writable: false);
    }
}
