using System.Globalization;

namespace Enclaves.Channel.Egress;

/// <summary>
/// A connection that a container asks the host for: <c>CONNECT &lt;host&gt; &lt;port&gt; &lt;container&gt;\n</c>. The container's name says whose
/// outbound rules are meant. The containers of an enclave share its network, so it is the enclave as a whole that the host holds to the
/// manifest; the name also tells counters and logs whose connection it was.
/// </summary>
/// <param name="Host">Host name or literal IP address, without spaces.</param>
/// <param name="Port">TCP port, 1-65535.</param>
/// <param name="Container">Name of the container, or <see cref="ImagePull"/>.</param>
public sealed record EgressRequest(string Host, int Port, string Container)
{
    /// <summary>Stands in for the container when the enclave pulls an image.</summary>
    public const string ImagePull = "image-pull";

    /// <summary>Bytes of the line, its end included.</summary>
    public const int MaxLineBytes = 400;

    /// <summary>Reads the line, without its end.</summary>
    /// <exception cref="InvalidDataException">Says what is wrong.</exception>
    public static EgressRequest Parse(string line)
    {
        var parts = line.Split(' ');
        if (parts is not ["CONNECT", var host, var portText, var container])
            throw new InvalidDataException("egress request: write CONNECT <host> <port> <container>");
        if (!Digits.TryParse(portText, out var port) || port > int.MaxValue)
            throw new InvalidDataException($"egress request: '{portText}' is not a port");
        var request = new EgressRequest(host, (int)port, container);
        request.Check();
        return request;
    }

    /// <summary>The line with its end.</summary>
    /// <exception cref="InvalidDataException">A part holds what the line cannot carry, or the line is too long.</exception>
    public string Format()
    {
        Check();
        var line = string.Create(CultureInfo.InvariantCulture, $"CONNECT {Host} {Port} {Container}\n");
        if (line.Length > MaxLineBytes)
            throw new InvalidDataException($"egress request: the line for {Container} to {Host} is longer than {MaxLineBytes} bytes");
        return line;
    }

    private void Check()
    {
        if (Host.Length is 0 or > 253 || !Host.All(IsHostCharacter))
            throw new InvalidDataException($"egress request: '{Host}' is not a host name or an IP address");
        if (Port is < 1 or > 65535)
            throw new InvalidDataException($"egress request: port {Port} is not 1 to 65535");
        if (Container.Length is 0 or > 63 || !Container.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            throw new InvalidDataException($"egress request: '{Container}' is not a container's name");
    }

    // Letters, digits, '-', '.', '_' of names and ':' of IPv6 literals.
    private static bool IsHostCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or ':';
}
