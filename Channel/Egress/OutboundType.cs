namespace Enclaves.Channel.Egress;

/// <summary>Kinds of outbound connections beside the plain relay, which has none. Their other end has to attest itself, which it cannot yet.</summary>
public static class OutboundType
{
    /// <summary>To another enclave.</summary>
    public const string Enclave = "enclave";

    /// <summary>Through a proxy.</summary>
    public const string Proxy = "proxy";

    /// <summary>Why a connection of such a type is refused, and what can be done.</summary>
    public static string WhyRefused(string host, int port, string type) => FormattableString.Invariant(
        $"{host}:{port} is of type '{type}', which needs attestation, and that is not there yet; without a type it would be a plain relay");
}
