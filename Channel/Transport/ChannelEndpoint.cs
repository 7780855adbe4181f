using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Enclaves.Channel.Transport;

/// <summary>How the two sides of the enclave boundary reach each other.</summary>
public enum ChannelScheme
{
    /// <summary>AF_VSOCK of the kernel: a Nitro Enclave, or the inside of any virtual machine.</summary>
    Vsock,

    /// <summary>The hybrid vsock of Firecracker, Cloud Hypervisor and vhost-device-vsock: Unix sockets on the host's side only.</summary>
    Hybrid,

    /// <summary>A directory of Unix sockets: both sides are processes of one kernel.</summary>
    Directory,
}

/// <summary>
/// One end of the channel as text.
/// <list type="bullet">
/// <item><c>vsock://16:7000</c>, <c>vsock://any:7000</c>: CID (or any, to listen) and port.</item>
/// <item><c>uds:///run/enclave/vsock.sock:7000</c>: hybrid vsock, host side. To reach guest port P connect to the socket, send
/// <c>CONNECT P\n</c> and read <c>OK n\n</c>; a guest's connection to host port P arrives at the Unix socket <c>path_P</c>.</item>
/// <item><c>dir:///run/enclave:7000</c>: process driver. Guest port P is the Unix socket <c>guest_P</c> in the directory, on which the
/// Orchestrator listens; host port P is <c>host_P</c>, on which EnclaveHost listens. No handshake.</item>
/// </list>
/// </summary>
public sealed record ChannelEndpoint
{
    // sun_path holds 108 bytes with its final zero; "_4294967295" and "/guest_4294967295" are put behind the path.
    private const int MaxPathBytes = 107 - 17;

    private ChannelEndpoint(ChannelScheme scheme, uint cid, string path, uint port)
    {
        Scheme = scheme;
        Cid = cid;
        Path = path;
        Port = port;
    }

    /// <summary>The transport.</summary>
    public ChannelScheme Scheme { get; }

    /// <summary>CID; <see cref="VsockEndPoint.AnyCid"/> unless the scheme is vsock and names one.</summary>
    public uint Cid { get; }

    /// <summary>Absolute path of the socket (hybrid) or of the directory; empty for vsock.</summary>
    public string Path { get; }

    /// <summary>The vsock port, or the number that stands for it.</summary>
    public uint Port { get; }

    /// <summary>An AF_VSOCK endpoint.</summary>
    public static ChannelEndpoint Vsock(uint cid, uint port) => new(ChannelScheme.Vsock, cid, "", port);

    /// <summary>A hybrid vsock endpoint; the path is absolute and short enough for a Unix socket.</summary>
    public static ChannelEndpoint Hybrid(string path, uint port) => new(ChannelScheme.Hybrid, VsockEndPoint.AnyCid, CheckPath(path), port);

    /// <summary>An endpoint of the process driver; the path is absolute and short enough for a Unix socket.</summary>
    public static ChannelEndpoint Directory(string path, uint port) => new(ChannelScheme.Directory, VsockEndPoint.AnyCid, CheckPath(path), port);

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">Says what is wrong with the text.</exception>
    public static ChannelEndpoint Parse(string text)
    {
        if (TryStrip(text, "vsock://", out var rest))
        {
            var (host, port) = SplitPort(text, rest);
            if (host == "any")
                return Vsock(VsockEndPoint.AnyCid, port);
            if (!Digits.TryParse(host, out var cid))
                throw new FormatException($"endpoint '{text}': '{host}' is not a CID; write a number or 'any'");
            return Vsock(cid, port);
        }

        if (TryStrip(text, "uds://", out rest))
        {
            var (path, port) = SplitPort(text, rest);
            return Hybrid(path, port);
        }

        if (TryStrip(text, "dir://", out rest))
        {
            var (path, port) = SplitPort(text, rest);
            return Directory(path, port);
        }

        throw new FormatException($"endpoint '{text}': write vsock://<cid>:<port>, uds:///<socket>:<port> or dir:///<directory>:<port>");
    }

    /// <summary>The same place with another port.</summary>
    public ChannelEndpoint WithPort(uint port) => new(Scheme, Cid, Path, port);

    /// <inheritdoc/>
    public override string ToString() => Scheme switch
    {
        ChannelScheme.Vsock when Cid == VsockEndPoint.AnyCid => string.Create(CultureInfo.InvariantCulture, $"vsock://any:{Port}"),
        ChannelScheme.Vsock => string.Create(CultureInfo.InvariantCulture, $"vsock://{Cid}:{Port}"),
        ChannelScheme.Hybrid => string.Create(CultureInfo.InvariantCulture, $"uds://{Path}:{Port}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"dir://{Path}:{Port}"),
    };

    private static bool TryStrip(string text, string prefix, [NotNullWhen(true)] out string? rest)
    {
        rest = text.StartsWith(prefix, StringComparison.Ordinal) ? text[prefix.Length..] : null;
        return rest is not null;
    }

    private static (string Place, uint Port) SplitPort(string text, string rest)
    {
        var colon = rest.LastIndexOf(':');
        if (colon <= 0 || !Digits.TryParse(rest.AsSpan(colon + 1), out var port))
            throw new FormatException($"endpoint '{text}': does not end with ':<port>'");
        return (rest[..colon], port);
    }

    private static string CheckPath(string path)
    {
        if (path.Length == 0 || path[0] != '/')
            throw new FormatException($"endpoint path '{path}': must be absolute");
        if (System.Text.Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
            throw new FormatException($"endpoint path '{path}': longer than {MaxPathBytes} bytes, more than a Unix socket takes; choose a shorter directory");
        return path;
    }
}
