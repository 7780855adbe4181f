using System.Security.Cryptography;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Init;
using Enclaves.Orchestrator.Options;
using Enclaves.Orchestrator.Session;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class SessionTests
{
    private static readonly byte[] One = ManifestCodec.Write(TestManifests.Of([], TestManifests.Container("one")));
    private static readonly byte[] Two = ManifestCodec.Write(TestManifests.Of([], TestManifests.Container("two")));

    [Fact]
    public void The_register_holds_the_digest_as_a_security_module_would_extend_it()
    {
        var seal = new ManifestSeal(new SimulatedRegister());
        seal.Offer(One, ManifestCodec.Digest(One), out var manifest).ShouldBe(SealResult.Sealed);
        manifest.ShouldNotBeNull();
        seal.Register.ShouldBe(SHA384.HashData([.. new byte[48], .. ManifestCodec.Digest(One)]));
    }

    [Fact]
    public void The_same_manifest_again_changes_nothing_and_another_one_is_not_taken()
    {
        var seal = new ManifestSeal(new SimulatedRegister());
        seal.Offer(One, ManifestCodec.Digest(One), out _);
        var register = seal.Register;
        seal.Offer(One, ManifestCodec.Digest(One), out var again).ShouldBe(SealResult.Same);
        seal.Offer(Two, ManifestCodec.Digest(Two), out var other).ShouldBe(SealResult.Different);
        (again, other).ShouldBe((null, null));
        seal.Register.ShouldBe(register);
    }

    [Fact]
    public void A_manifest_that_is_not_what_was_announced_leaves_the_enclave_open_for_the_right_one()
    {
        var seal = new ManifestSeal(new SimulatedRegister());
        Should.Throw<ManifestException>(() => seal.Offer(One, ManifestCodec.Digest(Two), out _)).Message.ShouldContain("announced was");
        Should.Throw<ManifestException>(() => seal.Offer("{}"u8.ToArray(), ManifestCodec.Digest("{}"u8), out _));
        seal.Offer(One, ManifestCodec.Digest(One), out _).ShouldBe(SealResult.Sealed);
    }

    [Fact]
    public void The_clock_is_stepped_once_and_only_to_a_time_that_can_be_right()
    {
        var set = new List<DateTimeOffset>();
        var clock = new GuestClock(set.Add);
        var own = DateTimeOffset.UnixEpoch;
        var host = new DateTimeOffset(2026, 5, 5, 0, 0, 0, TimeSpan.Zero);
        Should.Throw<ArgumentOutOfRangeException>(() => clock.Offer(host.AddYears(100), own));
        clock.Offer(host, own).ShouldBe(host - own);
        clock.Offer(host.AddYears(1), host).ShouldBe(TimeSpan.Zero);
        set.ShouldBe([host]);
    }

    [Fact]
    public void A_clock_that_is_right_is_left_alone()
    {
        var clock = new GuestClock(_ => throw new InvalidOperationException("set"));
        var host = new DateTimeOffset(2026, 5, 5, 0, 0, 0, TimeSpan.Zero);
        clock.Offer(host, host.AddMilliseconds(900)).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Health_names_the_container_that_is_not_well_and_why()
    {
        var well = new ContainerView { Spec = TestManifests.Container("well"), Phase = ContainerPhase.Running, Ready = true };
        var crashing = new ContainerView
        {
            Spec = TestManifests.Container("ill"), Phase = ContainerPhase.Waiting, Reason = "CrashLoopBackOff", Message = "back-off 10 s",
        };
        var deaf = new ContainerView { Spec = TestManifests.Container("deaf", exposed: 80), Phase = ContainerPhase.Running };
        var running = new EnclaveState(EnclavePhase.Running, "", "");

        StatusReport.Judge(running, [well]).Healthy.ShouldBeTrue();
        var reply = StatusReport.Judge(running, [well, crashing]);
        (reply.Healthy, reply.Reason, reply.Message).ShouldBe((false, "CrashLoopBackOff", "container ill: back-off 10 s"));
        StatusReport.Judge(running, [deaf]).Reason.ShouldBe("ContainerNotReady");
        StatusReport.Judge(new EnclaveState(EnclavePhase.WaitingForManifest, "", ""), []).Reason.ShouldBe("WaitingForManifest");
    }

    [Fact]
    public void The_command_line_comes_before_the_environment()
    {
        string? Variable(string name) => name is "ENCLAVES_LOG_LEVEL" or "ENCLAVES_RUNTIME" ? "debug" : null;
        var options = OrchestratorOptions.Parse(["--runtime=process", "--listen", "dir:///tmp/x:7000"], Variable, asInit: false);
        options.Runtime.ShouldBe(RuntimeKind.Process);
        options.LogLevel.ShouldBe(LogLevel.Debug);
        options.Listen.ToString().ShouldBe("dir:///tmp/x:7000");
    }

    [Fact]
    public void An_unknown_option_is_refused_but_not_from_the_kernels_command_line()
    {
        Should.Throw<FormatException>(() => OrchestratorOptions.Parse(["--colour", "red"], _ => null, asInit: false)).Message.ShouldContain("--colour");
        Should.Throw<FormatException>(() => OrchestratorOptions.Parse(["--runtime", "docker"], _ => null, asInit: false)).Message.ShouldContain("Containerd, Process");
        OrchestratorOptions.Parse(["splash", "--colour"], _ => null, asInit: true).Listen.ToString().ShouldBe("vsock://any:7000");
    }

    [Theory]
    [InlineData("registry.example/app:1", "registry.example")]
    [InlineData("registry:5000/team/app", "registry:5000")]
    [InlineData("localhost/app", "localhost")]
    [InlineData("team/app", "docker.io")]
    [InlineData("app", "docker.io")]
    public void The_registry_of_an_image_is_found_as_container_engines_find_it(string image, string registry) =>
        Credentials.RegistryOf(image).ShouldBe(registry);

    [Fact]
    public void A_password_is_never_part_of_a_text() => new RegistryLogin("user", "geheim").ToString().ShouldNotContain("geheim");
}
