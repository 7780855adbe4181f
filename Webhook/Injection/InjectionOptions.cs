using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Webhook.Options;
using k8s.Models;

namespace Enclaves.Webhook.Injection;

/// <summary>What the installation says about enclave pods; the rest comes from the pod's annotations.</summary>
internal sealed partial record InjectionOptions
{
    /// <summary>A virtual machine: a real second kernel, not confidential.</summary>
    public const string Qemu = "qemu";

    /// <summary>What a seccomp profile of the nodes starts with; a path below the kubelet's seccomp folder follows.</summary>
    public const string LocalSeccomp = "Localhost:";

    /// <summary>An AWS Nitro Enclave.</summary>
    public const string Nitro = "nitro";

    /// <summary><c>--enclave-host-image</c>: image of EnclaveHost.</summary>
    public required string EnclaveHostImage { get; init; }

    /// <summary><c>--enclave-host-pull-policy</c>: Always, IfNotPresent or Never.</summary>
    public string PullPolicy { get; init; } = "IfNotPresent";

    /// <summary><c>--driver</c>: nitro or qemu.</summary>
    public string Driver { get; init; } = Nitro;

    /// <summary><c>--device-resource</c>: resource of the device plugin, one of which a pod takes.</summary>
    public string DeviceResource { get; init; } = "aws.ec2.nitro/nitro_enclaves";

    /// <summary><c>--cpu-resource</c>: resource with which the device plugin advertises enclave CPUs; empty where it does not.</summary>
    public string CpuResource { get; init; } = "";

    /// <summary><c>--device-group</c>: group of /dev/nitro_enclaves on the nodes; 0 for none.</summary>
    public int DeviceGroup { get; init; }

    /// <summary><c>--node-label</c>: key of the label that nodes with enclaves have.</summary>
    public string NodeLabelKey { get; init; } = "aws-nitro-enclaves-k8s-dp";

    /// <summary>Its value.</summary>
    public string NodeLabelValue { get; init; } = "enabled";

    /// <summary><c>--allow-destinations</c>: networks that egress may reach although they are the node's own; comma-separated.</summary>
    public string AllowDestinations { get; init; } = "";

    /// <summary><c>--seccomp-profile</c>: RuntimeDefault, Unconfined or Localhost:PATH.</summary>
    public string SeccompProfile { get; init; } = DefaultSeccomp(Nitro);

    /// <summary><c>--host-cpu</c>: CPU request of EnclaveHost, in thousandths.</summary>
    public long HostCpu { get; init; } = 100;

    /// <summary><c>--machine-cpu</c>: CPU request for each CPU of a virtual machine, in thousandths; under driver qemu.</summary>
    public long MachineCpu { get; init; } = 1000;

    /// <summary><c>--host-memory</c>: memory request of EnclaveHost. The enclave's own memory comes from huge pages.</summary>
    public string HostMemory { get; init; } = "128Mi";

    /// <summary><c>--host-memory-limit</c>: its limit; under driver qemu with room for the emulator's translated code.</summary>
    public string HostMemoryLimit { get; init; } = DefaultMemoryLimit(Nitro);

    /// <summary>Reads the options.</summary>
    public static InjectionOptions Read(OptionsReader reader)
    {
        var driver = reader.Choice("driver", Nitro, Nitro, Qemu);
        var label = reader.Checked("node-label", "aws-nitro-enclaves-k8s-dp=enabled",
            text => text.Split('=') is [{ Length: > 0 }, _] ? null : $"'{text}' is not key=value").Split('=');
        return new InjectionOptions
        {
            EnclaveHostImage = reader.Required("enclave-host-image"),
            PullPolicy = reader.Choice("enclave-host-pull-policy", "IfNotPresent", "Always", "IfNotPresent", "Never"),
            Driver = driver,
            DeviceResource = reader.Text("device-resource", "aws.ec2.nitro/nitro_enclaves"),
            CpuResource = reader.Text("cpu-resource", ""),
            DeviceGroup = reader.Number("device-group", 0, 0, int.MaxValue),
            NodeLabelKey = label[0],
            NodeLabelValue = label.Length > 1 ? label[1] : "",
            AllowDestinations = reader.Text("allow-destinations", ""),
            SeccompProfile = reader.Checked("seccomp-profile", DefaultSeccomp(driver), SeccompProblem),
            HostCpu = Cpu(reader, "host-cpu", "100m"),
            MachineCpu = Cpu(reader, "machine-cpu", "1"),
            HostMemory = Canonical(reader.Checked("host-memory", driver == Qemu ? "256Mi" : "128Mi", QuantityProblem)),
            HostMemoryLimit = Canonical(reader.Checked("host-memory-limit", DefaultMemoryLimit(driver), QuantityProblem)),
        };
    }

    // RuntimeDefault of recent runtimes refuses AF_VSOCK, which only the nitro driver needs on the host side.
    private static string DefaultSeccomp(string driver) => driver == Qemu ? "RuntimeDefault" : LocalSeccomp + "enclaves/enclave-host.json";

    private static string DefaultMemoryLimit(string driver) => driver == Qemu ? "1536Mi" : "256Mi";

    private static string? SeccompProblem(string text) =>
        text is "RuntimeDefault" or "Unconfined" || (text.StartsWith(LocalSeccomp, StringComparison.Ordinal) && text.Length > LocalSeccomp.Length)
            ? null
            : $"'{text}' is not one of RuntimeDefault, Unconfined, Localhost:PATH";

    private static long Cpu(OptionsReader reader, string name, string fallback)
    {
        var millis = 0L;
        reader.Checked(name, fallback, text => CpuQuantity.TryParse(text, out millis, out var problem) ? null : problem);
        return millis;
    }

    private static string? QuantityProblem(string text) => Quantity().IsMatch(text) ? null : $"'{text}' is not a quantity such as 512Mi";

    // As the API server will store it; anything else a second injection would find to be different.
    private static string Canonical(string text) => Quantity().IsMatch(text) ? new ResourceQuantity(text).ToString() : text;

    [GeneratedRegex(@"\A[0-9]{1,15}(?:\.[0-9]{1,3})?(?:[KMGT]i|[mkMGT])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Quantity();
}
