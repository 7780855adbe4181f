using Enclaves.Channel.Manifest;

namespace Enclaves.Api;

/// <summary>The probes of a plugin as the manifest has them, with a kubelet's defaults resolved (Kubernetes, API reference of Probe).</summary>
internal static class ProbeMapping
{
    private const int PeriodSeconds = 10;
    private const int TimeoutSeconds = 1;
    private const int SuccessThreshold = 1;
    private const int FailureThreshold = 3;

    /// <summary>Maps one; null where there is none.</summary>
    /// <exception cref="NedSpecException">It does not say how to ask.</exception>
    public static ManifestProbe? Of(PluginProbe? probe, string path) => probe is null ? null : new ManifestProbe
    {
        Exec = probe.Exec?.Command,
        HttpGet = Http(probe.HttpGet, path),
        TcpPort = probe.TcpSocket?.Port,
        InitialDelaySeconds = probe.InitialDelaySeconds ?? 0,
        PeriodSeconds = probe.PeriodSeconds ?? PeriodSeconds,
        TimeoutSeconds = probe.TimeoutSeconds ?? TimeoutSeconds,
        SuccessThreshold = probe.SuccessThreshold ?? SuccessThreshold,
        FailureThreshold = probe.FailureThreshold ?? FailureThreshold,
    };

    private static ManifestHttpGet? Http(HttpProbe? http, string path) => http is null ? null : new ManifestHttpGet
    {
        Scheme = http.Scheme ?? ProbeSchemes.Http,
        Port = http.Port,
        Path = http.Path ?? "/",
        Headers = [.. (http.HttpHeaders ?? []).Select((header, i) => new ManifestHeader
        {
            Name = header?.Name ?? throw new NedSpecException($"{path}.httpGet.httpHeaders[{i}].name", "is required"),
            Value = header.Value ?? "",
        })],
    };
}
