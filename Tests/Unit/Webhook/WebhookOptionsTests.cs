using Enclaves.Webhook.Options;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

public sealed class WebhookOptionsTests
{
    private static readonly string[] Needed = ["--tls-cert", "a", "--tls-key=b", "--enclave-host-image=c"];

    [Fact]
    public void Defaults_follow_the_driver()
    {
        var qemu = Read([.. Needed, "--driver=qemu"]);
        qemu.Problems.ShouldBeEmpty();
        qemu.Options.Injection.SeccompProfile.ShouldBe("RuntimeDefault");
        Read(Needed).Options.Injection.SeccompProfile.ShouldStartWith("Localhost:");
    }

    [Fact]
    public void Quantities_are_kept_as_the_api_server_will_store_them()
    {
        var injection = Read([.. Needed, "--host-cpu=0.5", "--host-memory=1024Mi"]).Options.Injection;
        (injection.HostCpu, injection.HostMemory).ShouldBe((500L, "1Gi"));
    }

    [Fact]
    public void Every_problem_is_told_at_once()
    {
        var problems = Read(["--driver=xen", "--https-port=0", "--host-cpu=much", "--seccomp-profile=none", "--node-label=x", "--machine-cpu=1Gi", "--require-digests=maybe", "--allowed-registries=team",
            "--misspelt=1", "stray"]).Problems;
        foreach (var name in new[] { "--tls-cert", "--tls-key", "--enclave-host-image", "--driver", "--https-port", "--host-cpu", "--seccomp-profile", "--node-label", "--machine-cpu", "--require-digests", "--allowed-registries", "--misspelt", "stray" })
            problems.ShouldContain(problem => problem.Contains(name));
        problems.Count.ShouldBe(13);
    }

    [Fact]
    public void The_command_line_wins_over_the_environment()
    {
        var environment = new Dictionary<string, string> { ["WEBHOOK_DRIVER"] = "qemu", ["WEBHOOK_HTTP_PORT"] = "81", ["WEBHOOK_PORT"] = "tcp://10.0.0.1:443" };
        var (options, problems) = WebhookOptions.Read([.. Needed, "--http-port=82"], environment);
        problems.ShouldBeEmpty();
        (options.Injection.Driver, options.HttpPort).ShouldBe(("qemu", 82));
    }

    private static (WebhookOptions Options, IReadOnlyList<string> Problems) Read(string[] arguments) =>
        WebhookOptions.Read(arguments, new Dictionary<string, string>());
}
