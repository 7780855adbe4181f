using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Lifecycle;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class BootTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(3);

    [Fact]
    public void Boots_wait_longer_each_time_and_end_at_the_limit()
    {
        var backoff = new BootBackoff(4);
        ((double?[])[backoff.Next(Short)?.TotalSeconds, backoff.Next(Short)?.TotalSeconds, backoff.Next(Short)?.TotalSeconds])
            .ShouldBe([1, 2, 4]);
        backoff.Next(Short).ShouldBeNull();
    }

    [Fact]
    public void A_wait_is_never_longer_than_a_minute()
    {
        var backoff = new BootBackoff(100);
        for (var i = 0; i < 50; i++)
            backoff.Next(Short)!.Value.ShouldBeLessThanOrEqualTo(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void An_enclave_that_lasted_starts_the_row_anew()
    {
        var backoff = new BootBackoff(3);
        backoff.Next(Short);
        backoff.Next(TimeSpan.FromHours(1)).ShouldBe(TimeSpan.FromSeconds(1));
        backoff.Next(Short).ShouldBe(TimeSpan.FromSeconds(2));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(30)]
    [InlineData(300)]
    public void The_parts_of_a_stop_fit_into_its_grace(int seconds)
    {
        var time = new FakeTimeProvider();
        var grace = TimeSpan.FromSeconds(seconds);
        var schedule = new StopSchedule(grace, time);
        schedule.LameDuck.ShouldBeInRange(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(5));
        schedule.Drain.ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(10));
        time.Advance(schedule.LameDuck + schedule.Drain);
        (schedule.LameDuck + schedule.Drain + schedule.Containers + schedule.PowerOff).ShouldBeLessThanOrEqualTo(grace);
    }

    [Fact]
    public void A_machine_has_no_device_but_console_and_vsock()
    {
        var line = QemuCommandLine.For(new QemuMachine("/kernel", "/ramdisk", "console=ttyS0", "/run/v.sock", 2, 1024, null, false)).ToList();
        line.Count(word => word == "-device").ShouldBe(1);
        line.ShouldContain("vhost-user-vsock-pci,chardev=vs");
        line.ShouldContain("memory-backend-memfd,id=mem,size=1024M,share=on");
        line.ShouldContain("tcg,thread=multi,tb-size=128");
        line.ShouldContain("-nodefaults");
    }

    [Fact]
    public void Hugepages_are_taken_up_front_so_that_a_lack_is_an_error_and_not_a_crash() =>
        QemuCommandLine.For(new QemuMachine("/kernel", "/ramdisk", "", "/run/v.sock", 2, 1024, "/dev/hugepages", true))
            .ShouldContain("memory-backend-file,id=mem,size=1024M,mem-path=/dev/hugepages,share=on,prealloc=on,discard-data=on");

    [Fact]
    public void Only_a_mounted_hugetlbfs_counts_as_hugepages()
    {
        string[] mounts = ["tmpfs /dev tmpfs rw 0 0", "none /dev/hugepages hugetlbfs rw,pagesize=2M 0 0"];
        Hugepages.IsMounted("/dev/hugepages/", mounts).ShouldBeTrue();
        Hugepages.IsMounted("/dev", mounts).ShouldBeFalse();
        Hugepages.IsMounted("/dev/huge", mounts).ShouldBeFalse();
    }

    [Fact]
    public async Task The_console_keeps_the_last_lines_cut_to_a_bound()
    {
        var console = new ConsoleLog(null);
        var text = string.Concat(Enumerable.Range(0, 500).Select(i => $"line {i}\r\n")) + new string('x', 100_000);
        await console.FollowAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)));
        console.Last(2).ShouldBe(["line 499", new string('x', 1024)]);
        console.Last(int.MaxValue).Count.ShouldBe(200);
    }
}
