using System.Buffers;
using System.Net.Sockets;

namespace Enclaves.Channel.Relay;

/// <summary>
/// Moves bytes from one connected socket to another until the first has ended. Between TCP and Unix sockets they go through a pipe and are not
/// copied (splice); a vsock would be handed each page by itself, so there they are copied. What the other side does not take stops the first
/// from being read. While nothing comes there is neither a buffer nor a pipe nor a thread.
/// </summary>
/// <param name="from">Where the bytes come from.</param>
/// <param name="to">Where they go.</param>
/// <param name="moved">Is told how many have gone over.</param>
internal sealed class BytePump(Socket from, Socket to, Action<int> moved)
{
    // Throughput over vsock collapses with writes above 1 MiB; 64 KiB is what virtio moves in one go.
    private const int BufferBytes = 64 * 1024;

    // A busy connection leaves its thread to the others after so many moves.
    private const int MovesInARow = 16;

    // Error numbers of Linux (asm-generic/errno-base.h).
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const int Invalid = 22;

    private bool _splices = Splices(from) && Splices(to);

    // A little is sooner copied: a splice costs two calls more.
    private bool _much;

    /// <summary>Moves all there is, and returns at the end of the first socket.</summary>
    /// <exception cref="SocketException">One of the connections is broken.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        from.Blocking = false;
        to.Blocking = false;
        while (true)
        {
            // Waits without a buffer: most connections are idle most of the time.
            await from.ReceiveAsync(Memory<byte>.Empty, cancellation);
            var outcome = _much && _splices && PipePool.Rent() is { } pipe ? await SpliceAsync(pipe, cancellation) : await CopyAsync(cancellation);
            if (outcome == Outcome.Ended)
                return;
            if (outcome == Outcome.More)
                await Task.Yield();
        }
    }

    private enum Outcome
    {
        Nothing,
        More,
        Ended,
    }

    private static bool Splices(Socket socket) => socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 or AddressFamily.Unix;

    private async ValueTask<Outcome> CopyAsync(CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (var i = 0; i < MovesInARow; i++)
            {
                var received = from.Receive(buffer.AsSpan(0, BufferBytes), SocketFlags.None, out var error);
                if (error == SocketError.WouldBlock)
                    return Outcome.Nothing;
                if (error != SocketError.Success)
                    throw new SocketException((int)error);
                if (received == 0)
                    return Outcome.Ended;
                await SendAsync(buffer.AsMemory(0, received), cancellation);
                moved(received);
                _much = received == BufferBytes;
                if (_splices || !_much)
                    return Outcome.Nothing;
            }

            return Outcome.More;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<Outcome> SpliceAsync(RelayPipe pipe, CancellationToken cancellation)
    {
        var isEmpty = true;
        var total = 0;
        try
        {
            for (var i = 0; i < MovesInARow; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var filled = pipe.Fill(from.SafeHandle);
                if (filled.Error == WouldBlock)
                    return Outcome.Nothing;
                if (filled.Error == Invalid)
                {
                    // Not on this kernel, or not between these two.
                    _splices = false;
                    return Outcome.More;
                }

                if (filled.Error == Interrupted)
                    continue;
                Check(filled);
                if (filled.Bytes == 0)
                    return Outcome.Ended;
                isEmpty = false;
                await DrainAsync(pipe, filled.Bytes, cancellation);
                isEmpty = true;
                moved(filled.Bytes);
                total += filled.Bytes;
            }

            return Outcome.More;
        }
        finally
        {
            _much = total >= BufferBytes;
            if (isEmpty)
                PipePool.Return(pipe);
            else
                pipe.Dispose();
        }
    }

    private async ValueTask DrainAsync(RelayPipe pipe, int bytes, CancellationToken cancellation)
    {
        while (bytes > 0)
        {
            var drained = pipe.Drain(to.SafeHandle, bytes);
            if (drained.Error is WouldBlock or Invalid)
            {
                _splices &= drained.Error != Invalid;
                bytes -= await DrainByCopyAsync(pipe, bytes, cancellation);
                continue;
            }

            if (drained.Error == Interrupted)
                continue;
            Check(drained);
            bytes -= drained.Bytes;
        }
    }

    // What the other side does not take at once: only a send of bytes in memory can be waited for.
    private async ValueTask<int> DrainByCopyAsync(RelayPipe pipe, int bytes, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var read = pipe.Read(buffer.AsSpan(0, Math.Min(bytes, BufferBytes)));
            Check(read);
            await SendAsync(buffer.AsMemory(0, read.Bytes), cancellation);
            return read.Bytes;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await to.SendAsync(bytes, cancellation)..];
    }

    private static void Check(RelayPipe.Moved moved)
    {
        if (moved.Error != 0)
            throw new SocketException((int)SocketError.ConnectionReset, $"the connection is broken (error {moved.Error})");
    }
}
