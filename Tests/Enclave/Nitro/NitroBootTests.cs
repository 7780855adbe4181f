using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Node;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave.Nitro;

/// <summary>Boots with nitro-cli, as its transcripts have them.</summary>
public sealed class NitroBootTests
{
    [Fact]
    public async Task An_enclave_is_booted_described_and_ended()
    {
        await using var nitro = new StandIn();
        var driver = nitro.Driver("--cpu-count", "2");
        driver.IsConfidential.ShouldBeTrue();
        await using (var enclave = await driver.StartAsync(TestContext.Current.CancellationToken))
        {
            var description = enclave.Description;
            (description.Cid, description.CpuCount, description.MemoryMib).ShouldBe((driver.Cid, 2, 512));
            description.Measurements.ShouldNotBeNull().Pcr1.ShouldBe(new string('0', 95) + "2");
            enclave.Exited.IsCompleted.ShouldBeFalse();
            nitro.Calls.ShouldContain($"run-enclave --eif-path {nitro.PathOf("enclave.eif")} --cpu-count 2 --memory 512 --enclave-cid {driver.Cid} --enclave-name enclave-{driver.Cid}");
            await enclave.StopAsync(TimeSpan.FromSeconds(10));
            (await enclave.Exited).ShouldContain("was ended");
        }

        nitro.Processes().ShouldBeEmpty();
        nitro.Count("terminate-enclave").ShouldBe(1);
    }

    [Theory]
    [InlineData("E19", "[File operation failure: File: '/dev/nitro_enclaves', failing operation: 'Open']")]
    [InlineData("E22", "spec.enclave.cpuCount")]
    [InlineData("E26", "the minimum memory should be 700 MB")]
    [InlineData("E27", "reserve more huge pages")]
    [InlineData("E35", "image")]
    [InlineData("E36", "the enclave did not report that it has booted")]
    [InlineData("E59", "certificate")]
    public async Task What_another_try_does_not_mend_is_told_at_once(string code, string expected)
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave", $"failure {code} 39");
        var failure = await Should.ThrowAsync<EnclaveStartException>(() => nitro.Driver().StartAsync(TestContext.Current.CancellationToken));
        failure.Message.ShouldStartWith($"nitro-cli run-enclave failed with {code} (");
        failure.Message.ShouldContain(expected);
        failure.Message.ShouldContain("; to mend it: ");
        nitro.Count("run-enclave").ShouldBe(1);
    }

    [Theory]
    [InlineData("E29")]
    [InlineData("E36-taken")]
    [InlineData("E39")]
    public async Task What_passes_is_tried_again_within_the_boot(string transcript)
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave.1", $"failure {transcript} 39");
        nitro.Play("run-enclave.2", $"failure {transcript} 39");
        await using var enclave = await nitro.Driver(nitro.Options(), new HurriedTime(4)).StartAsync(TestContext.Current.CancellationToken);
        nitro.Count("run-enclave").ShouldBe(3);
        nitro.Log.Text.ShouldContain("try 2 of 4");
    }

    [Fact]
    public async Task What_does_not_pass_after_all_is_a_failed_boot()
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave", "failure E29 39");
        var failure = await Should.ThrowAsync<EnclaveStartException>(() => nitro.Driver(nitro.Options(), new HurriedTime(4)).StartAsync(TestContext.Current.CancellationToken));
        failure.Message.ShouldContain("E29 (ioctl)");
        nitro.Count("run-enclave").ShouldBe(4);
    }

    [Fact]
    public async Task What_the_node_lacks_is_told_with_a_boot_that_fails()
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave", "failure E19 39");
        nitro.Node = [new NodeFinding("sockets of AF_VSOCK"), new NodeFinding("the device /dev/nitro_enclaves", "is not there", "launch another instance")];
        (await Should.ThrowAsync<EnclaveStartException>(() => nitro.Driver().StartAsync(TestContext.Current.CancellationToken)))
            .Message.ShouldEndWith("; of what the node should have, the device /dev/nitro_enclaves is not there (launch another instance)");
    }

    [Fact]
    public async Task A_slow_boot_is_waited_for()
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave", "echo 'Start allocating memory...' >&2; sleep 3; boot");
        await using var enclave = await nitro.Driver().StartAsync(TestContext.Current.CancellationToken);
        enclave.Description.Id.ShouldStartWith("i-");
    }

    [Fact]
    public async Task A_boot_that_hangs_is_ended_with_its_enclave_process()
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave", "echo 'Start allocating memory...' >&2; enclave_process; while :; do sleep 0.1; done");
        var failure = await Should.ThrowAsync<EnclaveStartException>(() => nitro.Driver("--boot-timeout", "2s").StartAsync(TestContext.Current.CancellationToken));
        failure.Message.ShouldContain("had not ended after 2 s and was killed (its last lines: Start allocating memory...)");
        nitro.Log.Text.ShouldContain("processes of a boot that failed went on");
        nitro.Processes().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_stop_in_the_middle_of_a_boot_leaves_nothing()
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave", "enclave_process; touch \"$here/booting\"; while :; do sleep 0.1; done");
        using var stop = new CancellationTokenSource();
        var starting = nitro.Driver().StartAsync(stop.Token);
        await EndToEnd.Eventually.Holds("it boots", TimeSpan.FromSeconds(30), () => Task.FromResult(File.Exists(nitro.PathOf("booting"))));
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(starting);
        nitro.Processes().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("echo 'nitro-cli 1.4.2'", "'nitro-cli 1.4.2'")]
    [InlineData("printf '{\"EnclaveID\": '", "'{\"EnclaveID\":'")]
    [InlineData("true", "something else than its JSON")]
    [InlineData("enclave_process; answer | head -c 90", "something else than its JSON")]
    [InlineData("head -c 1000000 /dev/zero | tr '\\0' x", "more than 256 KiB")]
    [InlineData("enclave_process; cid=16; started; answer", "was to have CID")]
    [InlineData("boot; rm \"$sockets/$id.enclave\"; kill $pid", "ended as soon as it had booted")]
    [InlineData("echo 'thread main panicked' >&2; exit 101", "ended with code 101: thread main panicked")]
    [InlineData("echo 'error: Found argument' >&2; exit 2", "ended with code 2: error: Found argument")]
    public async Task Answers_that_are_none_leave_no_enclave_behind(string play, string expected)
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave", play);
        var failure = await Should.ThrowAsync<EnclaveStartException>(() => nitro.Driver().StartAsync(TestContext.Current.CancellationToken));
        failure.Message.ShouldContain(expected);
        failure.Message.ShouldContain("; to mend it: ");
        await EndToEnd.Eventually.Holds("nothing is left", TimeSpan.FromSeconds(10), () => Task.FromResult(nitro.Processes().Count == 0),
            () => Task.FromResult(string.Join('\n', nitro.Processes())));
    }

    [Fact]
    public async Task A_death_in_the_middle_takes_the_enclave_process_with_it()
    {
        await using var nitro = new StandIn();
        nitro.Play("run-enclave", "echo 'Start allocating memory...' >&2; enclave_process; kill -KILL $$");
        var failure = await Should.ThrowAsync<EnclaveStartException>(() => nitro.Driver().StartAsync(TestContext.Current.CancellationToken));
        failure.Message.ShouldContain("was killed by signal 9: Start allocating memory...");
        nitro.Processes().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_program_that_is_missing_is_told_of()
    {
        await using var nitro = new StandIn();
        File.Delete(nitro.Program);
        var failure = await Should.ThrowAsync<EnclaveStartException>(() => nitro.Driver().StartAsync(TestContext.Current.CancellationToken));
        failure.Message.ShouldContain("nitro-cli describe-enclaves ended with code 127");
        failure.Message.ShouldContain("put nitro-cli into the image");
    }

    [Fact]
    public async Task An_image_that_is_missing_is_told_of()
    {
        await using var nitro = new StandIn();
        File.Delete(nitro.PathOf("enclave.eif"));
        (await Should.ThrowAsync<EnclaveStartException>(() => nitro.Driver().StartAsync(TestContext.Current.CancellationToken))).Message.ShouldContain("say with --image");
    }

    [Fact]
    public async Task An_enclave_of_an_earlier_start_is_ended_before_the_first_boot()
    {
        await using var nitro = new StandIn();
        // Nobody ends it: as after a SIGKILL of its EnclaveHost.
        var left = await nitro.Driver().StartAsync(TestContext.Current.CancellationToken);
        await using var enclave = await nitro.Driver().StartAsync(TestContext.Current.CancellationToken);
        nitro.Log.Text.ShouldContain($"enclave {left.Description.Id} (RUNNING, CID {left.Description.Cid}) is of an earlier start");
        nitro.Processes().Where(line => line.Contains("run-enclave", StringComparison.Ordinal)).ShouldHaveSingleItem()
            .ShouldContain($"enclave-{enclave.Description.Cid}");
        (await left.Exited.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).ShouldContain("ended by itself");
        await left.DisposeAsync();
    }

    [Fact]
    public async Task Boots_of_one_node_never_overlap()
    {
        var pods = new List<StandIn> { new() };
        pods.AddRange(Enumerable.Range(0, 3).Select(_ => new StandIn(pods[0].Ports)));
        // As the port on which the enclave reports: whoever comes second fails.
        var port = pods[0].PathOf("port");
        foreach (var pod in pods)
            pod.Play("run-enclave", $"mkdir {port} || failure E36-taken 39; sleep 0.3; boot; rmdir {port}");
        var drivers = pods.Select(pod => pod.Driver()).ToList();
        drivers.Select(driver => driver.Cid).ShouldBeUnique();
        var enclaves = await Task.WhenAll(drivers.Select(driver => driver.StartAsync(TestContext.Current.CancellationToken)));
        pods.ShouldAllBe(pod => pod.Count("run-enclave") == 1);
        string.Join('\n', pods.Select(pod => pod.Log.Text)).ShouldContain("another enclave of the node is being booted");
        foreach (var enclave in enclaves)
            await enclave.DisposeAsync();
        foreach (var pod in pods)
            await pod.DisposeAsync();
    }
}
