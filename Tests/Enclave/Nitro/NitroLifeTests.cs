using System.Globalization;
using Enclaves.Channel.Manifest;
using Enclaves.EnclaveHost.Lifecycle;
using Enclaves.EnclaveHost.Log;
using Enclaves.EnclaveHost.Session;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave.Nitro;

/// <summary>The whole life of a pod's enclave with this driver: nitro-cli is played, what it boots is a real Orchestrator.</summary>
public sealed class NitroLifeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly FreePorts Ingress = new(20800, 20899);

    [Fact]
    public async Task It_serves_is_booted_again_and_stops_in_order()
    {
        await using var life = new Life();
        await life.UntilAsync(EnclaveState.Running);
        (await HostProcess.AskAsync(life.IngressPort)).ShouldStartWith("plugin ");
        var first = life.View.Description.ShouldNotBeNull();
        ProcessTable.Signal(first.ProcessIds[0], ProcessTable.SigKill);
        await Eventually.Holds("a second boot runs", Limit, () => Task.FromResult(life.State.Boots == 2 && life.State.State == EnclaveState.Running), life.Explain);
        life.State.History().ShouldContain(move => move.Message.Contains($"enclave {first.Id} (CID {first.Cid}) ended by itself", StringComparison.Ordinal));
        life.View.Description.ShouldNotBeNull().Cid.ShouldBe(first.Cid, "the ports of the host follow from it");
        await life.StopAsync();
        life.State.State.ShouldBe(EnclaveState.Stopped);
        life.Nitro.Processes().ShouldBeEmpty();
        ProcessTable.Of(life.Marker).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_keeps_it_from_booting_becomes_the_reason_of_the_failure()
    {
        await using var life = new Life(nitro => nitro.Play("run-enclave", "failure E27 39"), "--max-boots", "2");
        await life.UntilAsync(EnclaveState.Failed);
        life.State.Last.Reason.ShouldBe("BootFailed");
        life.State.Last.Message.ShouldStartWith("the enclave ended 2 times in a row, lastly: nitro-cli run-enclave failed with E27 (too few huge pages)");
        life.State.Last.Message.ShouldContain("spec.enclave.memory");
    }

    private sealed class Life : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly StdoutLines _lines = new(Stream.Null, TimeProvider.System);
        private readonly Task _running;

        public Life(Action<StandIn>? prepare = null, params string[] arguments)
        {
            var port = HostProcess.Ports.Next();
            IngressPort = Ingress.Next();
            var content = Manifests.One(Manifests.App(
                "local", ["/usr/bin/perl", Programs.Plugin, port.ToString(CultureInfo.InvariantCulture)], port, IngressPort, Marker));
            var bytes = ManifestCodec.Write(content);
            var manifest = new LoadedManifest(ManifestCodec.Read(bytes), bytes, ManifestCodec.Digest(bytes));
            Nitro.PlayEnclave($"exec {Programs.Orchestrator} --listen dir://{Nitro.RunFolder}:7000 --runtime process");
            prepare?.Invoke(Nitro);
            var (options, time, loggers) = (Nitro.Options(["--stop-grace", "10s", .. arguments]), TimeProvider.System, Nitro.Log.Factory);
            State = new EnclaveStateMachine(time, loggers.CreateLogger<EnclaveStateMachine>());
            var times = new StartTimes(TimeSpan.Zero, State, time, loggers.CreateLogger<StartTimes>());
            var sessions = new SessionLoop(
                options, manifest, State, View, times, new LogForwarder(_lines), new SecretSync(options, manifest, time, loggers.CreateLogger<SecretSync>()), time,
                loggers.CreateLogger<SessionLoop>());
            var lifecycle = new EnclaveLifecycle(options, manifest, Nitro.Driver(options, time), State, View, sessions, time, loggers);
            _running = lifecycle.RunAsync(_stop.Token);
        }

        public StandIn Nitro { get; } = new();

        public EnclaveView View { get; } = new();

        public EnclaveStateMachine State { get; }

        public string Marker { get; } = Guid.NewGuid().ToString("n");

        public int IngressPort { get; }

        public Task UntilAsync(EnclaveState state) => Eventually.Holds($"state {state}", Limit, () => Task.FromResult(State.State == state), Explain);

        public Task<string> Explain() => Task.FromResult($"{string.Join('\n', Nitro.Processes())}\n{string.Join('\n', Nitro.Calls)}\n{Nitro.Log.Text}");

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _running.WaitAsync(Limit, TestContext.Current.CancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running.WaitAsync(Limit);
            await Nitro.DisposeAsync();
            _lines.Dispose();
            _stop.Dispose();
        }
    }
}
