using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Secrets;
using Enclaves.Orchestrator.Volumes;

namespace Enclaves.Tests.Unit.Orchestrator;

/// <summary>Manifests with just what a test is about.</summary>
internal static class TestManifests
{
    public static EnclaveManifest Of(IReadOnlyList<string> registries, params ManifestContainer[] containers) => new()
    {
        Schema = EnclaveManifest.CurrentSchema,
        Name = "test",
        Namespace = "default",
        Containers = containers,
        Registries = registries,
    };

    /// <summary>Inputs of a container of an enclave without volumes.</summary>
    public static ContainerInputs Inputs(ManifestContainer container, SecretStore? secrets = null) =>
        new(container, new VolumeFolders("/nowhere", mounts: false), secrets ?? new SecretStore(), "/nowhere/logs");

    public static ManifestContainer Container(string name, string policy = "Always", int? exposed = null, params (string Host, int Port)[] outbound) => new()
    {
        Name = name,
        Role = ContainerRole.User,
        Image = "registry.example/app:1",
        Command = [],
        Args = [],
        Env = [],
        Ports = exposed is { } port ? [new ManifestPort { ContainerPort = port, IngressPort = 20000 }] : [],
        Outbound = [.. outbound.Select(o => new ManifestOutbound { Host = o.Host, Port = o.Port })],
        RestartPolicy = policy,
    };
}
