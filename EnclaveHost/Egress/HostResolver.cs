using System.Net;
using System.Net.Sockets;
using DnsClient;
using DnsClient.Protocol;

namespace Enclaves.EnclaveHost.Egress;

/// <summary>
/// Addresses of the hosts that egress connects to. Answers are kept as long as their records say, at most five minutes, and a name that has
/// no address for five seconds, so that an enclave that asks and asks costs the cluster's DNS next to nothing. A name with a dot is taken for
/// a full one first and only then looked for in the search list, whatever its <c>ndots</c>: no other's name may come before it.
/// What DNS does not know the system is asked for, which knows /etc/hosts.
/// </summary>
internal sealed class HostResolver
{
    private static readonly TimeSpan LongestKept = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan NothingKept = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ServerTime = TimeSpan.FromSeconds(2);

    private readonly LookupClient? _client;
    private readonly IReadOnlyList<string> _search;
    private readonly TimeSpan _limit;

    /// <summary>For some servers and a search list.</summary>
    /// <param name="servers">Name servers; where there is none the system alone is asked.</param>
    /// <param name="search">Domains in which short names are looked for.</param>
    /// <param name="limit">Time for all of a look-up.</param>
    public HostResolver(IReadOnlyList<IPEndPoint> servers, IReadOnlyList<string> search, TimeSpan limit)
    {
        _client = servers.Count == 0 ? null : new LookupClient(new LookupClientOptions([.. servers])
        {
            UseCache = true,
            MaximumCacheTimeout = LongestKept,
            CacheFailedResults = true,
            FailedResultsCacheDuration = NothingKept,
            Timeout = ServerTime,
            Retries = 1,
        });
        _search = search;
        _limit = limit;
    }

    /// <summary>All addresses of a host, those of IPv4 first.</summary>
    /// <exception cref="SocketException">It has none.</exception>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellation)
    {
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_limit);
        try
        {
            foreach (var name in Candidates(host))
            {
                if (_client is not null && await AskAsync(_client, name, limit.Token) is { Count: > 0 } addresses)
                    return addresses;
            }

            // The system's resolver cannot be interrupted; WaitAsync gives up on it.
            return await Dns.GetHostAddressesAsync(host, limit.Token).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"the name was not resolved within {_limit.TotalSeconds} s");
        }
    }

    private IEnumerable<string> Candidates(string host)
    {
        if (host.EndsWith('.') || host.Contains('.', StringComparison.Ordinal))
            yield return host.TrimEnd('.') + ".";
        if (host.EndsWith('.'))
            yield break;
        foreach (var domain in _search)
            yield return $"{host}.{domain.TrimEnd('.')}.";
    }

    private static async Task<IReadOnlyList<IPAddress>> AskAsync(LookupClient client, string name, CancellationToken cancellation)
    {
        var four = client.QueryAsync(name, QueryType.A, cancellationToken: cancellation);
        var six = client.QueryAsync(name, QueryType.AAAA, cancellationToken: cancellation);
        var addresses = new List<IPAddress>();
        foreach (var query in new[] { four, six })
        {
            try
            {
                addresses.AddRange((await query).Answers.OfType<AddressRecord>().Select(record => record.Address));
            }
            catch (DnsResponseException)
            {
                // No server answers for this family; the other may have an address, and after both there is the system.
            }
        }

        return addresses;
    }
}
