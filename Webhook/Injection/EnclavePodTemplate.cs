using System.Globalization;
using System.Text.Json.Nodes;
using Enclaves.Api;

namespace Enclaves.Webhook.Injection;

/// <summary>
/// All that an enclave pod must hold, as the JSON that is imposed on it. Quantities are in canonical form: the API server stores
/// them so, and a second injection must find nothing to do.
/// </summary>
internal sealed class EnclavePodTemplate(InjectionOptions options, EnclaveSettings settings, string manifest, long? givenGrace, string version)
{
    private const int User = 65532;
    private const int HttpPort = 8080;

    // What the API server fills in for a pod that says nothing (core/v1 DefaultTerminationGracePeriodSeconds).
    private const long DefaultGrace = 30;
    private const string ManifestVolume = "enclave-manifest";
    private const string SecretsVolume = "enclave-secrets";
    private const string HugepagesVolume = "enclave-hugepages";
    private const string RunVolume = "enclave-run";
    private const string LogVolume = "enclave-log";

    // The kubelet ends the container when the grace period is over: EnclaveHost must be done a little earlier.
    private const long GraceMargin = 5;

    private long Grace => givenGrace ?? DefaultGrace;

    /// <summary>The wanted tree.</summary>
    /// <param name="keepImage">Whether the container's image stays as it is.</param>
    public JsonObject Pod(bool keepImage) => new()
    {
        ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [NedAnnotations.Injected] = version } },
        ["spec"] = new JsonObject
        {
            ["automountServiceAccountToken"] = false,
            // Variables for every Service of the namespace would mix with our own.
            ["enableServiceLinks"] = false,
            ["terminationGracePeriodSeconds"] = Grace,
            ["nodeSelector"] = new JsonObject { [options.NodeLabelKey] = options.NodeLabelValue },
            ["securityContext"] = PodSecurity(),
            ["volumes"] = Volumes(),
            ["containers"] = new JsonArray(Container(keepImage)),
        },
    };

    private JsonObject PodSecurity()
    {
        // What makes the emptyDirs, the huge pages among them, writable for the container's user.
        var security = new JsonObject { ["fsGroup"] = User };
        if (options.DeviceGroup > 0)
            security["supplementalGroups"] = new JsonArray(options.DeviceGroup);
        return security;
    }

    private JsonObject Container(bool keepImage)
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
        if (!keepImage)
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
        var requests = new JsonObject { ["cpu"] = options.HostCpu, ["memory"] = options.HostMemory };
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
            Variable("ENCLAVE_STOP_GRACE", $"{Text(Math.Max(1, Grace - GraceMargin))}s"),
            Variable("ENCLAVE_DEBUG", settings.DebugMode ? "true" : "false"));
        if (options.AllowDestinations.Length > 0)
            variables.Add((JsonNode)Variable("ENCLAVE_ALLOW_DESTINATIONS", options.AllowDestinations));
        return variables;
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
        if (settings.PullSecrets.Count > 0)
            volumes.Add((JsonNode)Volume(SecretsVolume, "projected", new JsonObject { ["sources"] = new JsonArray([.. settings.PullSecrets.Select(Source)]) }));
        return volumes;
    }

    private JsonArray Mounts()
    {
        var mounts = new JsonArray(
            Mount(ManifestVolume, "/etc/enclave/manifest", readOnly: true),
            Mount(HugepagesVolume, "/dev/hugepages", readOnly: false),
            Mount(RunVolume, "/run/nitro_enclaves", readOnly: false),
            Mount(LogVolume, "/var/log/nitro_enclaves", readOnly: false));
        if (settings.PullSecrets.Count > 0)
            mounts.Add((JsonNode)Mount(SecretsVolume, "/etc/enclave/secrets", readOnly: true));
        return mounts;
    }

    // A missing Secret or key keeps the pod from starting, with an event that names it.
    private static JsonNode Source(string secret) => new JsonObject
    {
        ["secret"] = new JsonObject
        {
            ["name"] = secret,
            ["items"] = new JsonArray(new JsonObject { ["key"] = ".dockerconfigjson", ["path"] = $"{secret}/.dockerconfigjson" }),
        },
    };

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
