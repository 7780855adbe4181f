using Enclaves.Channel;
using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Session;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Boundary;

/// <summary>A slice of what dev/bench fuzz does a million times; the same cases every time.</summary>
public sealed class BoundaryFuzzTests : IDisposable
{
    private const int Seed = 20261127;

    private readonly string _folder = Directory.CreateTempSubdirectory("enclaves-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void No_manifest_gets_past_the_reader_that_the_enclave_cannot_live_with()
    {
        var outcomes = Enumerable.Range(0, 10_000).Select(number => ManifestFuzz.Run(Seed, number)).ToList();
        outcomes.Select(outcome => outcome.Failure).FirstOrDefault(failure => failure is not null).ShouldBeNull();
        // Or it would say nothing.
        var counts = outcomes.CountBy(outcome => outcome.Outcome).ToDictionary();
        foreach (var outcome in new[] { "taken", "taken, without a plan", "refused" })
            counts.GetValueOrDefault(outcome).ShouldBeGreaterThan(5, string.Join(", ", counts));
    }

    [Fact]
    public async Task No_message_gets_another_answer_than_those_of_the_contract()
    {
        await using var parts = new SessionParts(_folder);
        var fuzz = new SessionFuzz(parts);
        var outcomes = Enumerable.Range(0, 20_000).Select(number => fuzz.Run(Seed, number)).ToList();
        outcomes.Select(outcome => outcome.Failure).FirstOrDefault(failure => failure is not null).ShouldBeNull();
        foreach (var outcome in new[] { "answered", "refused", "not a message", "read", "no such line" })
            outcomes.Count(each => each.Outcome == outcome).ShouldBeGreaterThan(100, outcome);
    }

    [Fact]
    public void No_batch_of_the_log_does_more_to_the_host_than_be_refused()
    {
        using var fuzz = new LogFuzz();
        var outcomes = Enumerable.Range(0, 20_000).Select(number => fuzz.Run(Seed, number)).ToList();
        outcomes.Select(outcome => outcome.Failure).FirstOrDefault(failure => failure is not null).ShouldBeNull();
        foreach (var outcome in new[] { "written", "refused", "not a message" })
            outcomes.Count(each => each.Outcome == outcome).ShouldBeGreaterThan(100, outcome);
    }

    [Fact]
    public async Task No_frame_keeps_the_next_session_from_being_served()
    {
        await using var parts = new SessionParts(_folder);
        await using var app = await parts.ServeAsync(_folder, EnclavePorts.Control);
        var fuzz = new FrameFuzz(Path.Combine(_folder, $"guest_{EnclavePorts.Control}"));
        for (var number = 0; number < 400; number += 8)
            await Task.WhenAll(Enumerable.Range(number, 8).Select(each => fuzz.RunAsync(Seed, each, TestContext.Current.CancellationToken)));
        using var session = new EnclaveSession(HostTransport.For(ChannelEndpoint.Directory(_folder, EnclavePorts.Control)));
        (await session.HelloAsync(0, "host", "info", TimeProvider.System, TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken)).ProtocolVersion.ShouldBe(1u);
    }

    [Theory]
    [InlineData("CONNECT x.example 443\0 app")]
    [InlineData("CONNECT x.example 443\0\0 app")]
    public void A_port_with_a_NUL_behind_it_is_none(string line) =>
        Should.Throw<InvalidDataException>(() => Enclaves.Channel.Egress.EgressRequest.Parse(line));

    [Fact]
    public void A_registry_or_an_endpoint_with_a_NUL_in_its_port_is_none()
    {
        Enclaves.Channel.Egress.RegistryAddress.TryParse("cdn.example:443\0", out _).ShouldBeFalse();
        Should.Throw<FormatException>(() => ChannelEndpoint.Parse("vsock://16:7000\0"));
        Should.Throw<FormatException>(() => ChannelEndpoint.Parse("vsock://16\0:7000"));
    }
}
