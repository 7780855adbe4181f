using Enclaves.EnclaveHost.Options;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class EnclaveOptionsTests
{
    [Fact]
    public void Without_any_option_everything_has_its_default()
    {
        var (options, problems) = Read([]);
        problems.ShouldBeEmpty();
        options.Driver.ShouldBe("qemu");
        options.HealthInterval.ShouldBe(TimeSpan.FromSeconds(1));
        options.FailureThreshold.ShouldBe(3);
    }

    [Fact]
    public void The_command_line_wins_over_the_environment()
    {
        var (options, problems) = Read(["--cpu-count=4", "--debug", "--health-interval", "250ms"], ("ENCLAVE_CPU_COUNT", "8"), ("ENCLAVE_MEMORY_MIB", "512"));
        problems.ShouldBeEmpty();
        (options.CpuCount, options.MemoryMib, options.Debug, options.HealthInterval).ShouldBe((4, 512, true, TimeSpan.FromMilliseconds(250)));
    }

    [Fact]
    public void All_problems_are_told_at_once()
    {
        var (_, problems) = Read(["--cpu-count", "many", "--health-interval=3", "--colour", "blue", "stray"], ("ENCLAVE_HTTP_PORT", "70000"));
        problems.Count.ShouldBe(5);
        problems.ShouldContain("--colour: there is no such option");
        problems.ShouldContain(p => p.StartsWith("ENCLAVE_HTTP_PORT: '70000'", StringComparison.Ordinal));
    }

    [Fact]
    public void Variables_of_somebody_elses_are_left_alone() => Read([], ("ENCLAVE_SERVICE_HOST", "10.0.0.1")).Problems.ShouldBeEmpty();

    [Fact]
    public void Nitro_Enclaves_need_no_further_option()
    {
        var (options, problems) = Read(["--driver", "nitro"]);
        problems.ShouldBeEmpty();
        (options.ImagePath, options.NitroCliPath).ShouldBe(("/opt/enclaves/image/enclave.eif", "nitro-cli"));
    }

    [Fact]
    public void Networks_may_be_single_addresses()
    {
        var (options, problems) = Read(["--allow-destinations", "10.0.0.0/8, 192.0.2.1"]);
        problems.ShouldBeEmpty();
        options.AllowDestinations.Select(n => n.ToString()).ShouldBe(["10.0.0.0/8", "192.0.2.1/32"]);
    }

    private static (EnclaveOptions Options, IReadOnlyList<string> Problems) Read(string[] arguments, params (string Name, string Value)[] environment) =>
        EnclaveOptions.Read(arguments, environment.ToDictionary(v => v.Name, v => v.Value));
}
