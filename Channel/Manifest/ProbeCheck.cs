namespace Enclaves.Channel.Manifest;

/// <summary>What must hold for the probes of a container.</summary>
internal static class ProbeCheck
{
    private const int MaxPathLength = 2048;
    private const int MaxHeaders = 64;
    private const int MaxCommand = 256;
    private const int MaxHeaderLength = 4096;

    /// <summary>The first problem as <c>field: problem</c>, null when there is none.</summary>
    public static string? Of(ManifestContainer container) =>
        Of(container.StartupProbe, "startupProbe", 1) ?? Of(container.LivenessProbe, "livenessProbe", 1) ?? Of(container.ReadinessProbe, "readinessProbe", 1000);

    private static string? Of(ManifestProbe? probe, string field, int mostSuccesses)
    {
        if (probe is null)
            return null;
        var problem = WaysOf(probe) != 1 ? ": must have exactly one of exec, httpGet and tcpPort"
            : Exec(probe.Exec) ?? Http(probe.HttpGet) ?? Port(probe.TcpPort, ".tcpPort")
            ?? Range(probe.InitialDelaySeconds, 0, 86400, "initialDelaySeconds") ?? Range(probe.PeriodSeconds, 1, 86400, "periodSeconds")
            ?? Range(probe.TimeoutSeconds, 1, 3600, "timeoutSeconds") ?? Range(probe.SuccessThreshold, 1, mostSuccesses, "successThreshold")
            ?? Range(probe.FailureThreshold, 1, 10000, "failureThreshold");
        return problem is null ? null : field + problem;
    }

    private static int WaysOf(ManifestProbe probe) =>
        (probe.Exec is null ? 0 : 1) + (probe.HttpGet is null ? 0 : 1) + (probe.TcpPort is null ? 0 : 1);

    private static string? Exec(IReadOnlyList<string>? command) => command switch
    {
        null => null,
        { Count: 0 or > MaxCommand } => $".exec: must have 1 to {MaxCommand} items",
        _ when command.Any(item => item is null || item.Contains('\0')) || command[0].Length == 0 => ".exec: must be a program and its arguments, none null, none with a NUL",
        _ => null,
    };

    private static string? Http(ManifestHttpGet? http) => http switch
    {
        null => null,
        { Scheme: not ("HTTP" or "HTTPS") } => ".httpGet.scheme: must be HTTP or HTTPS",
        { Path: { Length: 0 or > MaxPathLength } } => $".httpGet.path: must have 1 to {MaxPathLength} characters",
        _ when http.Path[0] != '/' || http.Path.Any(char.IsControl) || !Uri.TryCreate($"http://127.0.0.1:80{http.Path}", UriKind.Absolute, out _)
            => ".httpGet.path: must begin with / and be without control characters",
        { Headers.Count: > MaxHeaders } => $".httpGet.headers: has more than {MaxHeaders} items",
        _ => Port(http.Port, ".httpGet.port") ?? http.Headers.Select(Header).FirstOrDefault(problem => problem is not null),
    };

    // What a Kubernetes API server takes for a probe's header, and no line end that would make a second header of a value.
    private static string? Header(ManifestHeader? header, int i)
    {
        if (header is null || header.Name.Length is 0 or > 256 || !header.Name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            return $".httpGet.headers[{i}].name: must be letters, digits and -";
        return header.Value.Length > MaxHeaderLength || header.Value.Any(char.IsControl)
            ? $".httpGet.headers[{i}].value: must be without control characters, of at most {MaxHeaderLength} characters"
            : null;
    }

    private static string? Port(int? port, string field) => port is null || ManifestCheck.IsPort(port.Value) ? null : $"{field}: must be 1 to 65535";

    private static string? Range(int value, int least, int most, string field) =>
        value >= least && value <= most ? null : $".{field}: must be {least} to {most}";
}
