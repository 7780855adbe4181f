using System.Net;

namespace Enclaves.EnclaveHost.Options;

/// <summary>
/// Options of the program, complete and within their bounds. Each is <c>--name</c> on the command line or <c>ENCLAVE_NAME</c>
/// in the environment; durations have a unit (500ms, 2s, 3m).
/// </summary>
internal sealed record EnclaveOptions
{
    /// <summary><c>--driver</c>: qemu, process or nitro.</summary>
    public required string Driver { get; init; }

    /// <summary><c>--manifest</c>: file with the canonical manifest.</summary>
    public required string ManifestPath { get; init; }

    /// <summary><c>--image</c>: the enclave image, an EIF.</summary>
    public required string ImagePath { get; init; }

    /// <summary><c>--nitro-cli</c>: the program, a path or a name on the PATH (driver nitro).</summary>
    public required string NitroCliPath { get; init; }

    /// <summary><c>--cpu-count</c>: virtual CPUs of the enclave.</summary>
    public required int CpuCount { get; init; }

    /// <summary><c>--memory-mib</c>: memory of the enclave.</summary>
    public required int MemoryMib { get; init; }

    /// <summary><c>--hugepages</c>: used for the enclave's memory when a hugetlbfs is mounted there.</summary>
    public required string HugepagesPath { get; init; }

    /// <summary><c>--accel</c>: auto, kvm or tcg (driver qemu). auto takes KVM only after it has run the kernel.</summary>
    public required string Accelerator { get; init; }

    /// <summary><c>--orchestrator</c>: the program (driver process).</summary>
    public required string OrchestratorPath { get; init; }

    /// <summary><c>--run-dir</c>: sockets; writable, private to this enclave, a short path.</summary>
    public required string RunFolder { get; init; }

    /// <summary><c>--secrets-dir</c>: mounted Secrets, registry credentials as <c>SECRET/.dockerconfigjson</c>.</summary>
    public required string SecretsFolder { get; init; }

    /// <summary><c>--termination-message</c>: file that the kubelet shows as the reason of the last exit.</summary>
    public required string TerminationMessagePath { get; init; }

    /// <summary><c>--http-bind</c>: address of the HTTP server and of the ingress.</summary>
    public required IPAddress BindAddress { get; init; }

    /// <summary><c>--http-port</c>: /livez, /readyz, /status, /metrics.</summary>
    public required int HttpPort { get; init; }

    /// <summary><c>--health-interval</c>: time from one health check to the next.</summary>
    public required TimeSpan HealthInterval { get; init; }

    /// <summary><c>--failure-threshold</c>: checks without an answer that make the enclave unhealthy.</summary>
    public required int FailureThreshold { get; init; }

    /// <summary><c>--max-boots</c>: boots in a row before the program gives up.</summary>
    public required int MaxBoots { get; init; }

    /// <summary><c>--boot-timeout</c>: from power-on to the first answer of the Orchestrator.</summary>
    public required TimeSpan BootTimeout { get; init; }

    /// <summary><c>--stop-grace</c>: from SIGTERM to the end of the program.</summary>
    public required TimeSpan StopGrace { get; init; }

    /// <summary><c>--allow-destinations</c>: networks that egress may reach although they are the node's own, loopback or link-local.</summary>
    public required IReadOnlyList<IPNetwork> AllowDestinations { get; init; }

    /// <summary><c>--dns-servers</c>: name servers of egress as ADDRESS or ADDRESS:PORT; empty for those of /etc/resolv.conf.</summary>
    public required IReadOnlyList<IPEndPoint> DnsServers { get; init; }

    /// <summary><c>--node-ip</c>: addresses of the node, which a pod cannot see by itself; egress does not reach them unless allowed.</summary>
    public required IReadOnlyList<IPNetwork> NodeAddresses { get; init; }

    /// <summary><c>--log-level</c>: debug, info, warn or error; of this program's and the Orchestrator's own lines.</summary>
    public required string LogLevel { get; init; }

    /// <summary><c>--otlp-endpoint</c>: URL of an OpenTelemetry collector that is given the log as well; null for none.</summary>
    public required Uri? OtlpEndpoint { get; init; }

    /// <summary><c>--otlp-protocol</c>: grpc or http.</summary>
    public required string OtlpProtocol { get; init; }

    /// <summary><c>--otlp-headers</c>: folder with a file for each header that the collector is sent; empty for none.</summary>
    public required string OtlpHeadersFolder { get; init; }

    /// <summary><c>--debug</c>: the enclave's console goes to the log. A Nitro Enclave is booted in debug mode for it, and attests nothing.</summary>
    public required bool Debug { get; init; }

    /// <summary>Reads and checks everything; the problems are one sentence each, and the options are only valid when there is none.</summary>
    public static (EnclaveOptions Options, IReadOnlyList<string> Problems) Read(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var reader = new OptionsReader(arguments, environment);
        var options = new EnclaveOptions
        {
            Driver = reader.Choice("driver", "qemu", "qemu", "process", "nitro"),
            ManifestPath = reader.Text("manifest", "/etc/enclave/manifest/manifest.json"),
            ImagePath = reader.Text("image", "/opt/enclaves/image/enclave.eif"),
            NitroCliPath = reader.Text("nitro-cli", "nitro-cli"),
            CpuCount = reader.Number("cpu-count", 2, 1, 256),
            MemoryMib = reader.Number("memory-mib", 1024, 64, 1024 * 1024),
            HugepagesPath = reader.Text("hugepages", "/dev/hugepages"),
            Accelerator = reader.Choice("accel", "auto", "auto", "kvm", "tcg"),
            OrchestratorPath = reader.Text("orchestrator", "/usr/bin/orchestrator"),
            RunFolder = reader.Text("run-dir", "/run/nitro_enclaves"),
            SecretsFolder = reader.Text("secrets-dir", "/etc/enclave/secrets"),
            TerminationMessagePath = reader.Text("termination-message", "/dev/termination-log"),
            BindAddress = reader.Address("http-bind", IPAddress.Any),
            HttpPort = reader.Number("http-port", 8080, 1, 65535),
            HealthInterval = reader.Duration("health-interval", Seconds(1), TimeSpan.FromMilliseconds(50), Seconds(60)),
            FailureThreshold = reader.Number("failure-threshold", 3, 1, 100),
            MaxBoots = reader.Number("max-boots", 5, 1, 1000),
            BootTimeout = reader.Duration("boot-timeout", Seconds(120), Seconds(1), Seconds(3600)),
            StopGrace = reader.Duration("stop-grace", Seconds(30), Seconds(1), Seconds(3600)),
            AllowDestinations = reader.Networks("allow-destinations"),
            DnsServers = reader.EndPoints("dns-servers", defaultPort: 53),
            NodeAddresses = reader.Networks("node-ip"),
            LogLevel = reader.Choice("log-level", "info", "debug", "info", "warn", "error"),
            OtlpEndpoint = reader.Url("otlp-endpoint"),
            OtlpProtocol = reader.Choice("otlp-protocol", "grpc", "grpc", "http"),
            OtlpHeadersFolder = reader.Text("otlp-headers", ""),
            Debug = reader.Flag("debug"),
        };
        reader.Finish();
        return (options, reader.Problems);
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
