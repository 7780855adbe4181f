using System.Net;

namespace Enclaves.EnclaveHost.Egress;

/// <summary>What a resolv.conf(5) says of servers and of domains in which short names are looked for.</summary>
internal sealed record ResolvConf(IReadOnlyList<IPEndPoint> Servers, IReadOnlyList<string> Search)
{
    private const int DnsPort = 53;

    // resolv.conf(5): MAXNS is 3, and the search list has no bound of its own since glibc 2.26; a kubelet writes 32 domains at most.
    private const int MaxServers = 3;
    private const int MaxDomains = 32;

    /// <summary>Reads the file; one that does not exist says nothing.</summary>
    public static ResolvConf Read(string path = "/etc/resolv.conf") => File.Exists(path) ? Parse(File.ReadLines(path)) : new([], []);

    /// <summary>Reads lines; of several search lists the last counts, and what is no address is passed over.</summary>
    public static ResolvConf Parse(IEnumerable<string> lines)
    {
        var servers = new List<IPEndPoint>();
        IReadOnlyList<string> search = [];
        foreach (var line in lines)
        {
            switch (line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            {
                case ["nameserver", var text, ..] when servers.Count < MaxServers && IPAddress.TryParse(text, out var address):
                    servers.Add(new IPEndPoint(address, DnsPort));
                    break;
                case ["search" or "domain", .. var domains]:
                    search = [.. domains.Take(MaxDomains)];
                    break;
            }
        }

        return new ResolvConf(servers, search);
    }
}
