namespace Enclaves.Reconciler.Certificates;

/// <summary>
/// What the Webhook's certificate is for, where it is kept, and how long it lives: options --certificates:namespace and so on.
/// </summary>
internal sealed record CertificateSettings
{
    /// <summary>How much earlier than now a certificate begins, for API servers whose clock is behind.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    /// <summary>Namespace of the Secret and of the Webhook's Service.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Name of the Secret. It must exist: the chart makes it empty, so that no permission to create Secrets is needed.</summary>
    public string Secret { get; init; } = "";

    /// <summary>Name of the Webhook's Service; API servers expect its cluster name in the certificate.</summary>
    public string Service { get; init; } = "";

    /// <summary>Name of the mutating and of the validating webhook configuration that shall trust the certificate.</summary>
    public string Configuration { get; init; } = "";

    /// <summary>Life of an authority: at least three times <see cref="LeafLife"/>, so that what it signs before it is replaced ends before it does.</summary>
    public TimeSpan AuthorityLife { get; init; } = TimeSpan.FromDays(365);

    /// <summary>Life of the Webhook's certificate, 10 minutes at least: a kubelet takes up to two to bring a new one into a pod.</summary>
    public TimeSpan LeafLife { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// How long every webhook configuration has carried a new authority before anything signed by it is served: API servers learn of a
    /// configuration by a watch, and one may lag.
    /// </summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Name of the Service of the REST API, which serves the same certificate; empty where there is none.</summary>
    public string RestService { get; init; } = "";

    /// <summary>The names by which Services are called.</summary>
    public IReadOnlyList<string> DnsNames => [.. NamesOf(Service), .. NamesOf(RestService)];

    private IEnumerable<string> NamesOf(string service) => service.Length == 0 ? [] : [service, $"{service}.{Namespace}", $"{service}.{Namespace}.svc"];

    /// <summary>Checks what was given.</summary>
    /// <exception cref="InvalidOperationException">An option is missing, or has a value that is not allowed.</exception>
    public void Require()
    {
        foreach (var (name, value) in new[] { ("namespace", Namespace), ("secret", Secret), ("service", Service), ("configuration", Configuration) })
        {
            if (value.Length == 0)
                throw new InvalidOperationException($"--certificates:{name}: is missing; it is needed beside the other --certificates options");
        }

        if (LeafLife < TimeSpan.FromMinutes(10))
            throw new InvalidOperationException($"--certificates:leafLife {LeafLife}: allowed are 00:10:00 and more");
        if (AuthorityLife < LeafLife * 3)
            throw new InvalidOperationException($"--certificates:authorityLife {AuthorityLife}: allowed is three times the leafLife ({LeafLife}) and more");
        if (Settle < TimeSpan.Zero || Settle > LeafLife / 10)
            throw new InvalidOperationException($"--certificates:settle {Settle}: allowed is up to a tenth of the leafLife ({LeafLife})");
    }

    /// <summary>Whether the last third of a life has begun, in which a certificate is replaced.</summary>
    public static bool IsDue(CertifiedKey pair, TimeSpan life, DateTimeOffset now) => now >= pair.NotAfter - (life / 3);
}
