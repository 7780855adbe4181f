using System.Net;
using System.Text;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>What cannot work ends with a reason that says what to do.</summary>
public sealed class FailureTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_bad_manifest_ends_it_with_the_reason_in_the_termination_message()
    {
        await using var host = HostProcess.Start(
            Encoding.UTF8.GetBytes("""{"schema":"enclaves/v7"}"""), Guid.NewGuid().ToString("n"), "--driver", "process", "--orchestrator", Programs.Orchestrator);
        (await host.ExitAsync(Limit)).ShouldBe(1);
        host.TerminationMessage.ShouldStartWith("manifest: ");
        host.TerminationMessage.ShouldContain("manifest.json");
    }

    [Fact]
    public async Task A_driver_that_there_is_not_is_refused_in_plain_words()
    {
        await using var host = HostProcess.Start([], Guid.NewGuid().ToString("n"), "--driver", "sgx");
        (await host.ExitAsync(Limit)).ShouldBe(2);
        host.TerminationMessage.ShouldBe("--driver: 'sgx' is not one of qemu, process, nitro");
    }

    [Fact]
    public async Task An_enclave_that_never_lives_is_given_up_after_the_last_boot()
    {
        await using var enclave = LocalEnclave.Start(null, "--orchestrator", "/bin/false", "--max-boots", "2");
        (await enclave.Host.ExitAsync(Limit)).ShouldBe(1);
        enclave.Host.TerminationMessage.ShouldStartWith("BootFailed: the enclave ended 2 times in a row, lastly: orchestrator exited with code 1");
    }

    [Fact]
    public async Task An_enclave_that_says_nothing_is_given_up_after_the_boot_timeout()
    {
        // It lives but never listens.
        var silent = Path.Combine(AppContext.BaseDirectory, "Plugin", "silent.sh");
        await using var enclave = LocalEnclave.Start(null, "--orchestrator", silent, "--boot-timeout", "2s", "--max-boots", "1");
        (await enclave.Host.ExitAsync(Limit)).ShouldBe(1);
        enclave.Host.TerminationMessage.ShouldContain("did not answer within 2 s");
        enclave.Host.Processes().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_manifest_that_the_enclave_cannot_run_is_given_up_with_the_enclaves_own_reason()
    {
        await using var enclave = LocalEnclave.Start(
            app => app with { Outbound = [new ManifestOutbound { Host = "127.0.0.1", Port = 80 }] }, "--max-boots", "1");
        (await enclave.Host.ExitAsync(Limit)).ShouldBe(1);
        enclave.Host.TerminationMessage.ShouldContain("InvalidEgress");
        enclave.Host.TerminationMessage.ShouldContain("127.0.0.1 is not the address of another machine");
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_it_with_a_reason()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, new FreePorts(20800, 20999).Next());
        taken.Start();
        await using var enclave = LocalEnclave.Start(
            app => app with { Ports = [app.Ports[0] with { IngressPort = ((IPEndPoint)taken.LocalEndpoint).Port }] });
        (await enclave.Host.ExitAsync(Limit)).ShouldBe(1);
        enclave.Host.TerminationMessage.ShouldStartWith("CannotListen: listen on 127.0.0.1:");
    }
}
