using Enclaves.Channel.Manifest;

namespace Enclaves.Tests.Enclave.Harness;

/// <summary>Builds manifests.</summary>
internal static class Manifests
{
    /// <summary>One container named app.</summary>
    public static EnclaveManifest One(ManifestContainer container, params string[] registries) => new()
    {
        Schema = EnclaveManifest.CurrentSchema,
        Name = "test",
        Namespace = "default",
        Containers = [container],
        Registries = registries,
    };

    /// <summary>A container with one exposed port.</summary>
    public static ManifestContainer App(string image, IReadOnlyList<string> command, int containerPort, int ingressPort, string marker) => new()
    {
        Name = "app",
        Role = ContainerRole.User,
        Image = image,
        Command = command,
        Args = [],
        Env = [new ManifestEnv { Name = ProcessTable.Marker, Value = marker }],
        Ports = [new ManifestPort { ContainerPort = containerPort, IngressPort = ingressPort }],
        Outbound = [],
        RestartPolicy = "Always",
    };
}
