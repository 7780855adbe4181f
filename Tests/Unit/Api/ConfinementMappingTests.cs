using Enclaves.Api;
using Enclaves.Channel.Manifest;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Api;

public sealed class ConfinementMappingTests
{
    [Fact]
    public void Limits_and_privileges_are_resolved_in_the_manifest()
    {
        var container = Map(new() { Limits = new() { Cpu = "0.5", Memory = "64Mi" } }, new()
        {
            RunAsUser = 1000,
            RunAsGroup = 2000,
            ReadOnlyRootFilesystem = true,
            Capabilities = new() { Add = ["NET_BIND_SERVICE"], Drop = ["ALL"] },
        });
        container.Resources.ShouldBe(new ManifestResources { CpuMillis = 500, MemoryBytes = 64 << 20 });
        container.Security!.AddCapabilities.ShouldBe(["NET_BIND_SERVICE"]);
        (container.Security with { AddCapabilities = null, DropCapabilities = null }).ShouldBe(new() { RunAsUser = 1000, RunAsGroup = 2000, ReadOnlyRootFilesystem = true });
    }

    [Fact]
    public void What_says_nothing_is_not_in_the_manifest()
    {
        foreach (var container in new[] { Map(null, null), Map(new(), new()), Map(new() { Limits = new() }, new() { Capabilities = new() { Add = [] }, ReadOnlyRootFilesystem = false }) })
            (container.Resources, container.Security).ShouldBe((null, null));
    }

    [Fact]
    public void A_quantity_that_is_none_is_an_error_with_its_path() =>
        Should.Throw<NedSpecException>(() => Map(new() { Limits = new() { Cpu = "much" } }, null)).Field.ShouldBe("spec.userPlugins[0].resources.limits.cpu");

    private static ManifestContainer Map(PluginResources? resources, PluginSecurityContext? security)
    {
        var ned = new NitroEnclaveDeployment
        {
            Metadata = new V1ObjectMeta { Name = "demo", NamespaceProperty = "team" },
            Spec = new() { UserPlugins = [new() { Name = "web", Image = "web", Resources = resources, SecurityContext = security }] },
        };
        var manifest = ManifestMapping.ToManifest(ned, new TestConfig());
        ManifestCodec.Check(manifest);
        return manifest.Containers[0];
    }
}
