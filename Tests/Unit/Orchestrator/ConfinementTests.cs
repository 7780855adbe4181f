using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers.Cri;
using Enclaves.Orchestrator.Containers.Cri.V1;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class ConfinementTests
{
    [Fact]
    public void Without_a_word_a_container_has_no_capability_no_new_privileges_and_no_limit()
    {
        var security = Confinement.Security(null, null, new NamespaceOption());
        security.Capabilities.DropCapabilities.ShouldBe(["ALL"]);
        security.Capabilities.AddCapabilities.ShouldBeEmpty();
        security.NoNewPrivs.ShouldBeTrue();
        security.ReadonlyRootfs.ShouldBeFalse();
        security.Seccomp.ProfileType.ShouldBe(SecurityProfile.Types.ProfileType.RuntimeDefault);
        security.RunAsUser.ShouldBeNull();
        Confinement.Resources(null).ShouldBe(new LinuxContainerResources { OomScoreAdj = 500 });
    }

    [Theory]
    [InlineData(1, 1_000)]
    [InlineData(10, 1_000)]
    [InlineData(500, 50_000)]
    [InlineData(2000, 200_000)]
    public void Processor_time_is_a_quota_of_a_tenth_of_a_second(long millis, long quota)
    {
        var resources = Confinement.Resources(new() { CpuMillis = millis, MemoryBytes = 4096 });
        (resources.CpuPeriod, resources.CpuQuota, resources.MemoryLimitInBytes).ShouldBe((100_000, quota, 4096));
    }

    [Theory]
    [InlineData("NET_BIND_SERVICE", "", "NET_BIND_SERVICE", "ALL")]
    [InlineData("ALL", "SYS_ADMIN", "ALL", "SYS_ADMIN")]
    [InlineData("", "ALL", "", "ALL")]
    [InlineData("CHOWN", "ALL", "CHOWN", "ALL")]
    [InlineData("ALL", "", "ALL", "")]
    public void What_is_not_asked_for_is_dropped(string add, string drop, string added, string dropped)
    {
        var capabilities = Confinement.Security(new() { AddCapabilities = List(add), DropCapabilities = List(drop) }, null, new NamespaceOption()).Capabilities;
        string.Join(',', capabilities.AddCapabilities).ShouldBe(added);
        string.Join(',', capabilities.DropCapabilities).ShouldBe(dropped);
    }

    [Fact]
    public void A_group_without_a_user_is_that_of_the_images_user()
    {
        var group = new ManifestSecurity { RunAsGroup = 7 };
        Confinement.Security(group, new ImageUser(65532, ""), new NamespaceOption()).RunAsUser.Value.ShouldBe(65532);
        Confinement.Security(group, new ImageUser(null, "app"), new NamespaceOption()).RunAsUsername.ShouldBe("app");
        Confinement.Security(group, new ImageUser(null, ""), new NamespaceOption()).RunAsUser.Value.ShouldBe(0);
        Confinement.Security(group with { RunAsUser = 8 }, null, new NamespaceOption()).RunAsUser.Value.ShouldBe(8);
    }

    public static TheoryData<ManifestResources?, ManifestSecurity?, string> Bad => new()
    {
        { new(), null, "resources: must have" },
        { new() { CpuMillis = 0 }, null, "resources.cpuMillis" },
        { new() { MemoryBytes = -1 }, null, "resources.memoryBytes" },
        { null, new(), "security: must say" },
        { null, new() { RunAsUser = -1 }, "security.runAsUser" },
        { null, new() { RunAsGroup = 1L << 31 }, "security.runAsGroup" },
        { null, new() { AddCapabilities = [] }, "security.addCapabilities" },
        { null, new() { DropCapabilities = ["CAP_CHOWN"] }, "security.dropCapabilities" },
        { null, new() { DropCapabilities = [null!] }, "security.dropCapabilities" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_cannot_be_is_refused_with_its_path(ManifestResources? resources, ManifestSecurity? security, string problem)
    {
        var manifest = TestManifests.Of([], TestManifests.Container("app") with { Resources = resources, Security = security });
        Should.Throw<ManifestException>(() => ManifestCodec.Read(ManifestCodec.Write(manifest))).Message.ShouldStartWith($"manifest.containers[0].{problem}");
    }

    private static string[]? List(string names) => names.Length == 0 ? null : names.Split(',');
}
