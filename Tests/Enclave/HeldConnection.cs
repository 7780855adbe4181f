using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>A connection to the plugin that stays open until the other side ends it.</summary>
internal sealed class HeldConnection : IDisposable
{
    private readonly TcpClient _client = new();
    private Task<int>? _end;

    public static async Task<HeldConnection> OpenAsync(int port)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var held = new HeldConnection();
        await held._client.ConnectAsync(IPAddress.Loopback, port, cancellation);
        await held._client.GetStream().WriteAsync("GET /hold HTTP/1.1\r\n\r\n"u8.ToArray(), cancellation);
        // Up to what the plugin says last: what is read after that is the end.
        for (var seen = ""; !seen.Contains("held\n", StringComparison.Ordinal);)
        {
            var buffer = new byte[100];
            var count = await held._client.GetStream().ReadAsync(buffer, cancellation);
            if (count == 0)
                throw new IOException("the connection was closed before it was held");
            seen += System.Text.Encoding.ASCII.GetString(buffer, 0, count);
        }

        return held;
    }

    /// <summary>Whether the other side ends it, in whatever way, before the time is over. May be asked again.</summary>
    public async Task<bool> ClosedWithinAsync(TimeSpan limit)
    {
        _end ??= _client.GetStream().ReadAsync(new byte[100], TestContext.Current.CancellationToken).AsTask();
        return await Task.WhenAny(_end, Task.Delay(limit, TestContext.Current.CancellationToken)) == _end;
    }

    public void Dispose() => _client.Dispose();
}
