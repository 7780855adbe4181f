using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Google.Protobuf;
using Grpc.Core;
using Shouldly;
using Xunit;
using Client = Enclaves.Channel.Session.Orchestrator.OrchestratorClient;

namespace Enclaves.Tests.Enclave;

/// <summary>What a host may try that wants the enclave to run something else, or not to run: the test is the host, the Orchestrator is real.</summary>
public sealed class HostileHostTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_manifest_is_refused_and_what_runs_goes_on()
    {
        await using var enclave = await EnclaveProcess.StartAsync();
        var client = await enclave.GreetAsync();
        var first = Sleepers(enclave, 1);
        var sealedOne = await EnclaveProcess.PutAsync(client, first);
        await Healthy(client);
        var sleeper = (await SleepingAsync(enclave, 1)).ShouldHaveSingleItem();

        (await Refused(() => EnclaveProcess.PutAsync(client, Sleepers(enclave, 2)))).ShouldBe(StatusCode.AlreadyExists);
        (await Refused(async () => await EnclaveProcess.PutAsync(await enclave.GreetAsync(), Sleepers(enclave, 3)))).ShouldBe(StatusCode.AlreadyExists);
        var again = await EnclaveProcess.PutAsync(client, first);
        again.Pcr16.ShouldBe(sealedOne.Pcr16);
        (await client.HelloAsync(EnclaveProcess.Hello(), cancellationToken: Cancelled)).ManifestDigest.ShouldBe(sealedOne.Digest);
        Sleeping(enclave).ShouldBe([sleeper]);
    }

    [Fact]
    public async Task A_manifest_of_1_MiB_runs_and_one_byte_more_is_refused()
    {
        await using var enclave = await EnclaveProcess.StartAsync();
        var client = await enclave.GreetAsync();
        var largest = OfSize(enclave, ManifestLimits.MaxBytes);
        (await Refused(() => EnclaveProcess.PutAsync(client, [.. largest, (byte)' ']))).ShouldBe(StatusCode.ResourceExhausted);
        await EnclaveProcess.PutAsync(client, largest);
        await Healthy(client);
    }

    [Fact]
    public async Task Sixty_four_containers_run_and_one_more_is_refused()
    {
        await using var enclave = await EnclaveProcess.StartAsync();
        var client = await enclave.GreetAsync();
        (await Refused(() => EnclaveProcess.PutAsync(client, Sleepers(enclave, 65)))).ShouldBe(StatusCode.InvalidArgument);
        await EnclaveProcess.PutAsync(client, Sleepers(enclave, 64));
        await Healthy(client);
        await SleepingAsync(enclave, 64);
    }

    [Fact]
    public async Task Half_open_sessions_do_not_keep_another_from_its_work()
    {
        await using var enclave = await EnclaveProcess.StartAsync();
        var manifest = Sleepers(enclave, 1);
        for (var i = 0; i < 8; i++)
        {
            var half = i % 2 == 0 ? enclave.Connect() : await enclave.GreetAsync();
            if (i % 2 == 0)
                continue;
            var call = half.PutManifest(cancellationToken: Cancelled);
            await call.RequestStream.WriteAsync(new ManifestChunk { Digest = ByteString.CopyFrom(ManifestCodec.Digest(manifest)), Data = ByteString.CopyFrom(manifest.AsSpan(0, 9)) }, Cancelled);
        }

        var client = await enclave.GreetAsync();
        await EnclaveProcess.PutAsync(client, manifest);
        await Healthy(client);
    }

    [Fact]
    public async Task Messages_before_a_greeting_out_of_order_or_twice_have_the_answer_of_the_contract()
    {
        await using var enclave = await EnclaveProcess.StartAsync();
        var stranger = enclave.Connect();
        var large = OfSize(enclave, 3 * ManifestLimits.ChunkBytes);
        (await Refused(() => EnclaveProcess.PutAsync(stranger, large))).ShouldBe(StatusCode.FailedPrecondition);
        (await Refused(async () => await stranger.PutSecretsAsync(new PutSecretsRequest(), cancellationToken: Cancelled))).ShouldBe(StatusCode.FailedPrecondition);
        (await Refused(async () => await stranger.StopAsync(new StopRequest(), cancellationToken: Cancelled))).ShouldBe(StatusCode.FailedPrecondition);
        (await stranger.HealthAsync(new HealthRequest(), cancellationToken: Cancelled)).Reason.ShouldBe("WaitingForManifest");

        var client = await enclave.GreetAsync();
        await client.HelloAsync(EnclaveProcess.Hello(), cancellationToken: Cancelled);
        (await Refused(() => EnclaveProcess.PutAsync(client, large, chunks => chunks.Reverse()))).ShouldBe(StatusCode.InvalidArgument);
        (await Refused(() => EnclaveProcess.PutAsync(client, large, chunks => chunks.Concat(chunks)))).ShouldBe(StatusCode.InvalidArgument);
        (await Refused(async () => await client.PutSecretsAsync(new PutSecretsRequest { Secrets = { new SecretValues { Name = "a", Data = { ["../b"] = ByteString.Empty } } } }, cancellationToken: Cancelled)))
            .ShouldBe(StatusCode.InvalidArgument);
        (await Refused(async () => await client.PutSecretsAsync(new PutSecretsRequest { Secrets = { new SecretValues { Name = "a", Data = { ["b"] = ByteString.CopyFrom(new byte[ManifestLimits.MaxSecretBytes]) } } } }, cancellationToken: Cancelled)))
            .ShouldBe(StatusCode.ResourceExhausted);
        await client.PutSecretsAsync(new PutSecretsRequest(), cancellationToken: Cancelled);
        await client.PutSecretsAsync(new PutSecretsRequest(), cancellationToken: Cancelled);
        await EnclaveProcess.PutAsync(client, large);
        await Healthy(client);

        await client.StopAsync(new StopRequest { GraceMilliseconds = 1000 }, cancellationToken: Cancelled);
        // It ends meanwhile; a second word of it may still be heard.
        (await Refused(async () => await client.StopAsync(new StopRequest { GraceMilliseconds = 1000 }, cancellationToken: Cancelled))).ShouldBeOneOf(StatusCode.OK, StatusCode.Unavailable, StatusCode.Cancelled, StatusCode.Internal);
        await Eventually.Holds("it has ended", Soon, () => Task.FromResult(enclave.HasEnded));
    }

    [Fact]
    public async Task A_clock_that_jumps_stops_nothing()
    {
        await using var enclave = await EnclaveProcess.StartAsync();
        var client = await enclave.GreetAsync();
        await EnclaveProcess.PutAsync(client, Sleepers(enclave, 1));
        await Healthy(client);
        foreach (var time in new[] { long.MinValue, long.MaxValue })
            (await Refused(async () => await client.HelloAsync(EnclaveProcess.Hello(time), cancellationToken: Cancelled))).ShouldBe(StatusCode.InvalidArgument);
        foreach (var time in new[] { 0, DateTimeOffset.UtcNow.AddYears(50).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddYears(-2).ToUnixTimeMilliseconds() })
            await client.HelloAsync(EnclaveProcess.Hello(time), cancellationToken: Cancelled);
        await Healthy(client);
        await SleepingAsync(enclave, 1);
    }

    private static byte[] Sleepers(EnclaveProcess enclave, int count)
    {
        var app = Manifests.App("sleep", ["/bin/sleep", "1000"], 1, 20000, enclave.Marker) with { Ports = [] };
        return ManifestCodec.Write(Manifests.One(app) with { Containers = [.. Enumerable.Range(0, count).Select(i => app with { Name = $"app-{i}" })] });
    }

    private static byte[] OfSize(EnclaveProcess enclave, int bytes)
    {
        var app = Manifests.App("sleep", ["/bin/sleep", "1000"], 1, 20000, enclave.Marker) with { Ports = [] };
        EnclaveManifest With(string text) => Manifests.One(app) with
        {
            Volumes =
            [
                new()
                {
                    Name = "padding",
                    Files = [new() { Path = "file", Mode = 420, Text = text, Digest = Convert.ToHexStringLower(ManifestCodec.Digest(System.Text.Encoding.ASCII.GetBytes(text))) }],
                },
            ],
        };
        var manifest = ManifestCodec.Write(With(new string('x', bytes - ManifestCodec.Write(With("")).Length)));
        manifest.Length.ShouldBe(bytes);
        return manifest;
    }

    private static IReadOnlyList<int> Sleeping(EnclaveProcess enclave) => [.. enclave.Processes().Where(process => process.Name == "sleep").Select(process => process.Id).Order()];

    // A container runs as soon as it has been started, and is what it is to be a moment later.
    private static async Task<IReadOnlyList<int>> SleepingAsync(EnclaveProcess enclave, int count)
    {
        await Eventually.Holds($"{count} containers sleep", Soon, () => Task.FromResult(Sleeping(enclave).Count == count), () => Task.FromResult(string.Join(", ", enclave.Processes())));
        return Sleeping(enclave);
    }

    private static Task Healthy(Client client) =>
        Eventually.Holds("the enclave is healthy", Soon, async () => (await client.HealthAsync(new HealthRequest(), cancellationToken: Cancelled)).Healthy);

    private static async Task<StatusCode> Refused(Func<Task> call)
    {
        try
        {
            await call();
            return StatusCode.OK;
        }
        catch (RpcException e)
        {
            return e.StatusCode;
        }
    }
}
