using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using Enclaves.Channel.Egress;

namespace Enclaves.Channel.Manifest;

/// <summary>What must hold for a manifest that comes from an untrusted host, beyond its JSON shape.</summary>
internal static class ManifestCheck
{
    private static readonly string[] RestartPolicies = ["Always", "OnFailure", "Never"];

    private static readonly string[] Roles =
        [ContainerRole.Base, ContainerRole.Auth, ContainerRole.Logging, ContainerRole.Telemetry, ContainerRole.User];

    public static void Run(EnclaveManifest manifest)
    {
        Require(manifest.Schema == EnclaveManifest.CurrentSchema, $"schema: is '{manifest.Schema}', known is {EnclaveManifest.CurrentSchema}");
        Require(manifest.Name.Length is > 0 and <= 253, $"name: must have 1 to 253 characters");
        Require(manifest.Namespace.Length is > 0 and <= 63, $"namespace: must have 1 to 63 characters");
        Require(manifest.Containers.Count is > 0 and <= ManifestLimits.MaxContainers,
            $"containers: has {manifest.Containers.Count} items, allowed are 1 to {ManifestLimits.MaxContainers}");
        Require(manifest.Registries.Count <= 256, $"registries: has more than 256 items");
        for (var i = 0; i < manifest.Registries.Count; i++)
            Require(manifest.Registries[i] is { } registry && RegistryAddress.TryParse(registry, out _), $"registries[{i}]: must be host or host:port");
        var volumes = VolumeCheck.Of(manifest);
        Require(volumes is null, $"{volumes}");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var ingress = new HashSet<int>();
        for (var i = 0; i < manifest.Containers.Count; i++)
        {
            var path = $"containers[{i}]";
            Check(manifest.Containers[i], path, names, ingress);
            var problem = ProbeCheck.Of(manifest.Containers[i]) ?? ConfinementCheck.Of(manifest.Containers[i]) ?? VolumeCheck.Of(manifest.Containers[i], manifest.Volumes ?? []);
            Require(problem is null, $"{path}.{problem}");
        }

        var role = RoleCheck.Of(manifest);
        Require(role is null, $"{role}");
    }

    private static void Check(ManifestContainer container, string path, HashSet<string> names, HashSet<int> ingress)
    {
        // The reader's annotations do not reach into lists.
        Require(container is not null, $"{path}: is null, a container is required");
        RequireItems(container.Command, path, "command");
        RequireItems(container.Args, path, "args");
        RequireItems(container.Env, path, "env");
        RequireItems(container.Ports, path, "ports");
        RequireItems(container.Outbound, path, "outbound");
        // The name becomes part of file names and of log lines in the enclave.
        Require(IsDnsLabel(container.Name), $"{path}.name: must be a DNS label of at most 63 characters");
        Require(container.Name != EgressRequest.ImagePull, $"{path}.name: '{container.Name}' stands for the pull of images, another name is required");
        Require(names.Add(container.Name), $"{path}.name: '{container.Name}' is used twice");
        Require(Roles.Contains(container.Role), $"{path}.role: '{container.Role}' is not one of {string.Join(", ", Roles)}");
        Require(container.Image.Length is > 0 and <= 1024, $"{path}.image: must have 1 to 1024 characters");
        Require(RestartPolicies.Contains(container.RestartPolicy),
            $"{path}.restartPolicy: '{container.RestartPolicy}' is not one of {string.Join(", ", RestartPolicies)}");
        for (var i = 0; i < container.Ports.Count; i++)
        {
            var port = container.Ports[i];
            Require(IsPort(port.ContainerPort), $"{path}.ports[{i}].containerPort: must be 1 to 65535");
            if (port.IngressPort is { } number)
                Require(number is >= EnclavePorts.IngressBase and < EnclavePorts.IngressBase + 1000 && ingress.Add(number),
                    $"{path}.ports[{i}].ingressPort: {number} is out of range or used twice");
        }

        for (var i = 0; i < container.Outbound.Count; i++)
        {
            Require(container.Outbound[i].Host.Length is > 0 and <= 253, $"{path}.outbound[{i}].host: must have 1 to 253 characters");
            Require(IsPort(container.Outbound[i].Port), $"{path}.outbound[{i}].port: must be 1 to 65535");
            Require(container.Outbound[i].Type is null or OutboundType.Enclave or OutboundType.Proxy,
                $"{path}.outbound[{i}].type: '{container.Outbound[i].Type}' is not one of {OutboundType.Enclave}, {OutboundType.Proxy}");
        }
    }

    private static void RequireItems<T>(IReadOnlyList<T> items, string path, string field)
    {
        for (var i = 0; i < items.Count; i++)
            Require(items[i] is not null, $"{path}.{field}[{i}]: is null");
    }

    /// <summary>Whether it is a TCP port.</summary>
    public static bool IsPort(int port) => port is >= 1 and <= 65535;

    /// <summary>Lower-case letters, digits and - between them, 63 characters at most.</summary>
    public static bool IsDnsLabel(string name) =>
        name.Length is >= 1 and <= 63
        && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')
        && name[0] != '-' && name[^1] != '-';

    private static void Require([DoesNotReturnIf(false)] bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref Problem problem)
    {
        if (!holds)
            throw new ManifestException($"manifest.{problem.Text()}");
    }

    /// <summary>Path and problem of a requirement, put together only where it does not hold: nearly every manifest is a good one.</summary>
    [InterpolatedStringHandler]
    private ref struct Problem
    {
        private DefaultInterpolatedStringHandler _text;

        public Problem(int literalLength, int formattedCount, bool holds, out bool isWanted)
        {
            isWanted = !holds;
            if (isWanted)
                _text = new DefaultInterpolatedStringHandler(literalLength, formattedCount, CultureInfo.InvariantCulture);
        }

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public string Text() => _text.ToStringAndClear();
    }
}
