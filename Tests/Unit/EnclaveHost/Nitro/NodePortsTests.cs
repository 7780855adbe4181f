using Enclaves.Channel;
using Enclaves.EnclaveHost.Drivers.Nitro;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Nitro;

/// <summary>Claims and locks by ports. With ports of a real kernel: Tests/Vm.</summary>
public sealed class NodePortsTests
{
    [Fact]
    public void A_CID_that_is_claimed_is_passed_over_until_it_is_given_back()
    {
        var node = new FakePorts();
        var first = CidClaim.Take(node, () => 70000);
        using var second = CidClaim.Take(node, Row(70000, 70000, 70001));
        second.Cid.ShouldBe(70001u);
        first.Dispose();
        using var third = CidClaim.Take(node, () => 70000);
        third.Cid.ShouldBe(70000u);
    }

    [Fact]
    public void Claims_that_are_all_taken_are_an_error_and_no_endless_search()
    {
        var node = new FakePorts();
        using var first = CidClaim.Take(node, () => 70000);
        Should.Throw<IOException>(() => CidClaim.Take(node, () => 70000));
    }

    [Fact]
    public void CIDs_are_none_that_nitro_cli_chooses_and_their_ports_do_not_meet()
    {
        for (var i = 0; i < 1000; i++)
        {
            using var claim = CidClaim.Take(new FakePorts());
            claim.Cid.ShouldBeInRange(0x1_0000u, 0xFF_FFFFu);
            EnclavePorts.Egress(claim.Cid).ShouldBeGreaterThan(EnclavePorts.BootLock + 15);
        }

        EnclavePorts.Claim(70000).ShouldBeLessThan(EnclavePorts.Egress(70001));
        EnclavePorts.Claim(0xFF_FFFF).ShouldBeLessThan(uint.MaxValue);
    }

    [Fact]
    public async Task One_boots_at_a_time()
    {
        var (node, time) = (new FakePorts(), new FakeTimeProvider());
        var boots = new BootLock(node, time, NullLogger.Instance);
        var first = await boots.TakeAsync(TestContext.Current.CancellationToken);
        var second = boots.TakeAsync(TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromSeconds(1));
        second.IsCompleted.ShouldBeFalse();
        first.Dispose();
        time.Advance(TimeSpan.FromSeconds(1));
        (await second.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)).Dispose();
    }

    [Fact]
    public async Task The_wait_for_others_has_an_end()
    {
        var (node, time) = (new FakePorts(), new FakeTimeProvider());
        var boots = new BootLock(node, time, NullLogger.Instance);
        using var first = await boots.TakeAsync(TestContext.Current.CancellationToken);
        var second = boots.TakeAsync(TestContext.Current.CancellationToken);
        while (!second.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }

        (await Should.ThrowAsync<NitroException>(second)).Message.ShouldContain("to mend it");
    }

    private static Func<uint> Row(params uint[] values)
    {
        var next = 0;
        return () => values[next++];
    }

    private sealed class FakePorts : INodePorts
    {
        private readonly HashSet<uint> _taken = [];

        public IDisposable? TryTake(uint port) => _taken.Add(port) ? new Held(this, port) : null;

        private sealed class Held(FakePorts node, uint port) : IDisposable
        {
            public void Dispose() => node._taken.Remove(port);
        }
    }
}
