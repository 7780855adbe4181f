using System.Globalization;
using System.Text.Json.Nodes;
using Enclaves.Api;

namespace Enclaves.Webhook.Injection;

/// <summary>
/// All that an enclave pod must hold, as the JSON that is imposed on it. Quantities are in canonical form: the API server stores
/// them so, and a second injection must find nothing to do.
/// </summary>
/// <param name="options">What the installation says.</param>
/// <param name="settings">What the pod's annotation says.</param>
/// <param name="manifest">Name of the ConfigMap with the manifest.</param>
/// <param name="choices">What the pod has chosen itself.</param>
/// <param name="version">The injector's version.</param>
internal sealed class EnclavePodTemplate(InjectionOptions options, EnclaveSettings settings, string manifest, PodChoices choices, string version)
{
    private const int User = 65532;

    /// <summary>Port of EnclaveHost's own HTTP server.</summary>
    public const int HttpPort = 8080;


    // What the API server fills in for a pod that says nothing (core/v1 DefaultTerminationGracePeriodSeconds).
    private const long DefaultGrace = 30;
    private const string ManifestVolume = "enclave-manifest";
    private const string HugepagesVolume = "enclave-hugepages";
    private const string RunVolume = "enclave-run";
    private const string LogVolume = "enclave-log";

    // The kubelet ends the container when the grace period is over: EnclaveHost must be done a little earlier.
    private const long GraceMargin = 5;

    // What EnclaveHost takes at most, in seconds.
    private const long LongestGrace = 3600;

    private readonly SecretVolumes _secrets = new(settings);

    private long Grace => choices.GracePeriod ?? DefaultGrace;

    /// <summary>The wanted tree, without the node's label: <see cref="NodeAffinity"/> has that.</summary>
    public JsonObject Pod() => new()
    {
        ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [NedAnnotations.Injected] = version } },
        ["spec"] = new JsonObject
        {
            ["automountServiceAccountToken"] = false,
            // Variables for every Service of the namespace would mix with our own.
            ["enableServiceLinks"] = false,
            ["terminationGracePeriodSeconds"] = Grace,
            ["securityContext"] = PodSecurity(),
            ["volumes"] = Volumes(),
            ["containers"] = new JsonArray(Container()),
        },
    };

    private JsonObject PodSecurity()
    {
        var security = new JsonObject();
        // What makes the emptyDirs, the huge pages among them, writable for the container's user.
        if (!choices.FileGroup)
            security["fsGroup"] = User;
        if (options.DeviceGroup > 0)
            security["supplementalGroups"] = new JsonArray(options.DeviceGroup);
        return security;
    }

    private JsonObject Container()
    {
        var container = new JsonObject
        {
            ["name"] = NedNames.HostContainer,
            ["terminationMessagePolicy"] = "FallbackToLogsOnError",
            ["env"] = Environment(),
            ["ports"] = Ports(),
            ["resources"] = Resources(),
            ["volumeMounts"] = Mounts(),
            ["securityContext"] = ContainerSecurity(),
            // A boot and the pulls of the plugins' images; until then nothing else is asked.
            ["startupProbe"] = Probe("/readyz", period: 1, threshold: 600, timeout: 2),
            ["readinessProbe"] = Probe("/readyz", period: 1, threshold: 1, timeout: 2),
            ["livenessProbe"] = Probe("/livez", period: 10, threshold: 3, timeout: 5),
        };
        foreach (var probe in choices.Probes)
            container.Remove(probe);
        if (!choices.Image)
        {
            container["image"] = options.EnclaveHostImage;
            container["imagePullPolicy"] = options.PullPolicy;
        }

        return container;
    }

    private JsonObject ContainerSecurity() => new()
    {
        ["runAsNonRoot"] = true,
        ["runAsUser"] = User,
        ["runAsGroup"] = User,
        ["privileged"] = false,
        ["allowPrivilegeEscalation"] = false,
        ["readOnlyRootFilesystem"] = true,
        ["capabilities"] = new JsonObject { ["drop"] = new JsonArray("ALL") },
        ["seccompProfile"] = options.SeccompProfile.StartsWith(InjectionOptions.LocalSeccomp, StringComparison.Ordinal)
            ? new JsonObject { ["type"] = "Localhost", ["localhostProfile"] = options.SeccompProfile[InjectionOptions.LocalSeccomp.Length..] }
            : new JsonObject { ["type"] = options.SeccompProfile },
    };

    private JsonObject Resources()
    {
        var memory = settings.MemoryMiB % 1024 == 0 ? $"{settings.MemoryMiB / 1024}Gi" : $"{settings.MemoryMiB}Mi";
        var limits = new JsonObject
        {
            [options.DeviceResource] = "1",
            [$"hugepages-{settings.HugepageSize}"] = memory,
            ["memory"] = options.HostMemoryLimit,
        };
        if (options.CpuResource.Length > 0)
            limits[options.CpuResource] = Text(settings.CpuCount);
        // A virtual machine runs on the CPUs of the pod; a Nitro Enclave has its own.
        var cpu = options.HostCpu + (options.Driver == InjectionOptions.Qemu ? settings.CpuCount * options.MachineCpu : 0);
        var requests = new JsonObject { ["cpu"] = cpu % 1000 == 0 ? Text(cpu / 1000) : $"{Text(cpu)}m", ["memory"] = options.HostMemory };
        // The API server asks for equal requests of these; where they are absent it fills them in, but only before us.
        foreach (var (name, amount) in limits)
        {
            if (name != "memory")
                requests[name] = amount!.DeepClone();
        }

        return new JsonObject { ["limits"] = limits, ["requests"] = requests };
    }

    private JsonArray Environment()
    {
        var variables = new JsonArray(
            Field("POD_NAME", "metadata.name"),
            Field("POD_NAMESPACE", "metadata.namespace"),
            Field("POD_UID", "metadata.uid"),
            Field("NODE_NAME", "spec.nodeName"),
            // A pod cannot see its node's address by itself, and egress must not reach it.
            Field("ENCLAVE_NODE_IP", "status.hostIP"),
            Variable("ENCLAVE_DRIVER", options.Driver),
            Variable("ENCLAVE_CPU_COUNT", Text(settings.CpuCount)),
            Variable("ENCLAVE_MEMORY_MIB", Text(settings.MemoryMiB)),
            Variable("ENCLAVE_STOP_GRACE", $"{Text(Math.Clamp(Grace, 1 + GraceMargin, LongestGrace + GraceMargin) - GraceMargin)}s"),
            Variable("ENCLAVE_DEBUG", settings.DebugMode ? "true" : "false"));
        if (settings.Image is { } image)
            variables.Add((JsonNode)Variable("ENCLAVE_IMAGE", EnclaveImageFile.PathOf(image)));
        if (options.AllowDestinations.Length > 0)
            variables.Add((JsonNode)Variable("ENCLAVE_ALLOW_DESTINATIONS", options.AllowDestinations));
        foreach (var (name, value) in Logging())
            variables.Add((JsonNode)Variable(name, value));
        return variables;
    }

    private IEnumerable<(string Name, string Value)> Logging()
    {
        if (settings.Logging?.Level is { } level)
            yield return ("ENCLAVE_LOG_LEVEL", level);
        if (settings.Logging?.OtlpEndpoint is not { } endpoint)
            yield break;
        yield return ("ENCLAVE_OTLP_ENDPOINT", endpoint);
        yield return ("ENCLAVE_OTLP_PROTOCOL", settings.Logging.OtlpProtocol ?? OtlpProtocols.Grpc);
        if (settings.Logging.OtlpHeadersSecret is { } secret)
            yield return ("ENCLAVE_OTLP_HEADERS", $"{SecretVolumes.Root}/{secret}");
    }

    private JsonArray Ports()
    {
        var ports = new JsonArray(Port("http", HttpPort));
        for (var i = 0; i < settings.Ports.Count; i++)
            ports.Add((JsonNode)Port($"ingress-{Text(i)}", settings.Ports[i]));
        return ports;
    }

    private JsonArray Volumes()
    {
        var volumes = new JsonArray(
            Volume(ManifestVolume, "configMap", new JsonObject { ["name"] = manifest }),
            Volume(HugepagesVolume, "emptyDir", new JsonObject { ["medium"] = $"HugePages-{settings.HugepageSize}" }),
            Volume(RunVolume, "emptyDir", new JsonObject { ["medium"] = "Memory", ["sizeLimit"] = "16Mi" }),
            Volume(LogVolume, "emptyDir", new JsonObject { ["sizeLimit"] = "64Mi" }));
        foreach (var (name, source) in _secrets.Volumes)
            volumes.Add((JsonNode)Volume(name, "projected", source));
        return volumes;
    }

    private JsonArray Mounts()
    {
        var mounts = new JsonArray(
            Mount(ManifestVolume, "/etc/enclave/manifest", readOnly: true),
            Mount(HugepagesVolume, "/dev/hugepages", readOnly: false),
            Mount(RunVolume, "/run/nitro_enclaves", readOnly: false),
            Mount(LogVolume, "/var/log/nitro_enclaves", readOnly: false));
        foreach (var (name, path) in _secrets.Mounts)
            mounts.Add((JsonNode)Mount(name, path, readOnly: true));
        return mounts;
    }

    private static JsonObject Volume(string name, string kind, JsonObject source) => new() { ["name"] = name, [kind] = source };

    // The API server stores no "readOnly: false".
    private static JsonObject Mount(string volume, string path, bool readOnly)
    {
        var mount = new JsonObject { ["name"] = volume, ["mountPath"] = path };
        if (readOnly)
            mount["readOnly"] = true;
        return mount;
    }

    private static JsonObject Variable(string name, string value) => new() { ["name"] = name, ["value"] = value };

    private static JsonObject Field(string name, string path) => new()
    {
        ["name"] = name,
        ["valueFrom"] = new JsonObject { ["fieldRef"] = new JsonObject { ["fieldPath"] = path } },
    };

    private static JsonObject Port(string name, int number) => new() { ["name"] = name, ["containerPort"] = number, ["protocol"] = "TCP" };

    private static JsonObject Probe(string path, int period, int threshold, int timeout) => new()
    {
        ["httpGet"] = new JsonObject { ["path"] = path, ["port"] = HttpPort },
        ["periodSeconds"] = period,
        ["failureThreshold"] = threshold,
        ["timeoutSeconds"] = timeout,
    };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
