using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Enclaves.Reconciler.Health;

/// <summary>An EnclaveHost gave no status that can be used; the message says why.</summary>
internal sealed class EnclaveStatusException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Asks an EnclaveHost for its status. Whatever it answers, or does not, a question costs at most two seconds, a quarter of a mebibyte and
/// one connection, goes nowhere else, and ends in a status or in an <see cref="EnclaveStatusException"/>.
/// </summary>
internal sealed class EnclaveStatusReader : IDisposable
{
    /// <summary>Where every EnclaveHost answers (the injection sets no other).</summary>
    public const int Port = 8080;

    private const int MostBytes = 256 * 1024;
    private const int MostHeaderKibibytes = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = Limit,
        MaxResponseHeadersLength = MostHeaderKibibytes,
        // A body that was too long is not worth reading to its end for the sake of the connection, and there is no second question soon.
        MaxResponseDrainSize = 0,
        PooledConnectionLifetime = TimeSpan.Zero,
    })
    {
        MaxResponseContentBufferSize = MostBytes,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Whether an address can be a pod's: what a forged status may name beside, say a node's metadata service, is never asked.</summary>
    public static bool IsPodAddress(IPAddress address) =>
        !IPAddress.IsLoopback(address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) && !address.IsIPv4MappedToIPv6
        && (address.AddressFamily == AddressFamily.InterNetwork
            ? address.GetAddressBytes() is not ([169, 254, ..] or [0, ..] or [>= 224, ..])
            : !address.IsIPv6LinkLocal && !address.IsIPv6Multicast && !address.IsIPv6SiteLocal);

    /// <summary>Asks once.</summary>
    /// <param name="host">Where EnclaveHost listens.</param>
    /// <param name="cancellation">Ends the question.</param>
    /// <exception cref="EnclaveStatusException">No usable answer in time.</exception>
    public async Task<EnclaveStatus> ReadAsync(IPEndPoint host, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Limit);
        try
        {
            using var response = await _client.GetAsync(new Uri($"http://{host}/status"), deadline.Token);
            if (response.StatusCode != HttpStatusCode.OK)
                throw new EnclaveStatusException($"it answered {(int)response.StatusCode}");
            return EnclaveStatus.Parse(await response.Content.ReadAsByteArrayAsync(deadline.Token));
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new EnclaveStatusException($"it gave no whole answer within {Limit.TotalSeconds} s", late);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            throw new EnclaveStatusException(broken.GetBaseException().Message, broken);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidDataException)
        {
            throw new EnclaveStatusException("its answer is not a status", wrong);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _client.Dispose();
}
