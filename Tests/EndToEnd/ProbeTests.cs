using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The sample with probes.</summary>
public sealed class ProbeTests
{
    [Fact]
    public async Task A_container_whose_probes_succeed_is_ready()
    {
        await using var probes = await Deployed.Apply("probes");
        await probes.UntilReady();
        (await probes.Answer()).ShouldContain("from inside the enclave");
        var app = (await probes.Status())["containers"]![0]!;
        app["restarts"]!.GetValue<int>().ShouldBe(0);
        app["ready"]!.GetValue<bool>().ShouldBeTrue();
    }
}
