using System.Globalization;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers.Cri.V1;

namespace Enclaves.Orchestrator.Containers.Cri;

/// <summary>The CRI's words for what the manifest says. Pure.</summary>
internal static class ContainerSpec
{
    /// <summary>Where container logs are written, in a file system of their own with a bound.</summary>
    public const string LogDirectory = "/var/log/pods";

    // One sandbox for the enclave: its containers share the enclave's network and nothing else.
    private static NamespaceOption Namespaces => new() { Network = NamespaceMode.Node, Pid = NamespaceMode.Container, Ipc = NamespaceMode.Pod };

    public static PodSandboxConfig Sandbox(EnclaveManifest manifest) => new()
    {
        Metadata = new PodSandboxMetadata { Name = manifest.Name, Uid = "enclave", Namespace = manifest.Namespace },
        LogDirectory = LogDirectory,
        Linux = new LinuxPodSandboxConfig
        {
            CgroupParent = "/enclave",
            SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = Namespaces, Seccomp = Confinement.RuntimeDefault },
        },
    };

    public static ContainerConfig Container(ContainerStart start, ImageUser? imageUser, uint attempt)
    {
        var container = start.Container;
        var config = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = container.Name, Attempt = attempt },
            Image = new ImageSpec { Image = container.Image },
            LogPath = LogPath(container.Name, attempt),
            Linux = new LinuxContainerConfig
            {
                Resources = Confinement.Resources(container.Resources),
                SecurityContext = Confinement.Security(container.Security, imageUser, Namespaces),
            },
        };
        config.Command.Add(container.Command);
        config.Args.Add(container.Args);
        config.Envs.Add(start.Variables.Select(variable => new KeyValue { Key = variable.Key, Value = variable.Value }));
        // The sandbox has a copy of its own of these; the enclave's are the truth.
        config.Mounts.Add(new Mount { ContainerPath = "/etc/hosts", HostPath = "/etc/hosts", Readonly = true });
        config.Mounts.Add(new Mount { ContainerPath = "/etc/resolv.conf", HostPath = "/etc/resolv.conf", Readonly = true });
        config.Mounts.Add(start.Mounts.Select(mount => new Mount { ContainerPath = mount.Target, HostPath = mount.Source, Readonly = mount.ReadOnly }));
        return config;
    }

    /// <summary>Relative to <see cref="LogDirectory"/>.</summary>
    public static string LogPath(string container, uint attempt) =>
        string.Create(CultureInfo.InvariantCulture, $"{container}/{attempt}.log");
}
