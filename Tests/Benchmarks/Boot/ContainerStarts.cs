using System.Diagnostics;
using System.Globalization;
using Enclaves.Channel;
using Enclaves.Channel.Manifest;
using Enclaves.Channel.Session;
using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Session;
using Enclaves.Tests.Enclave.Harness;
using Grpc.Core;

namespace Enclaves.Tests.Benchmarks.Boot;

/// <summary>
/// The start of a container by the Orchestrator against the same by ctr, in turn, from one image by one containerd. The Orchestrator starts
/// containers of different roles one after another: its time is from the start of one to that of the next, and in it are the look for the
/// image in its registry and all that the Orchestrator does itself. ctr's is that of its <c>run --detach</c>, which looks for nothing.
/// </summary>
internal sealed class ContainerStarts(string orchestrator, Containerd containerd, string layout)
{
    private const int Rounds = 6;
    private const uint EgressPort = 7100;
    private static readonly string[] Roles = [ContainerRole.Base, ContainerRole.Auth, ContainerRole.Logging, ContainerRole.Telemetry, ContainerRole.User];
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    /// <summary>Runs it.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        await using var registry = await ImageRegistry.Start(layout, cancellation);
        var (ours, theirs, memory) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            Figures.Step($"starting containers by the Orchestrator and by ctr, round {round + 1} of {Rounds}");
            var (first, kib) = await ByOrchestrator(registry.Image, round, cancellation);
            // The image is there from now on.
            var second = new List<double>();
            for (var i = 0; i < first.Count; i++)
                second.Add(await ByCtr(registry.Image, $"ctr-{round}-{i}", cancellation));
            // The first round warms up the files.
            if (round == 0)
                continue;
            ours.AddRange(first);
            theirs.AddRange(second);
            memory.Add(kib / 1024.0);
        }

        // Over the CRI, with five containers.
        Figures.Print("boot.orchestrator_rss_containerd_mb", Figures.Median(memory), "MB", "none");
        Figures.Print("boot.container_start_ms", Figures.Median(ours), "ms", "none");
        Figures.Print("boot.container_start_by_ctr_ms", Figures.Median(theirs), "ms", "none");
        Figures.Print("boot.container_start_ratio", Figures.Median(ours) / Figures.Median(theirs), "", "≤ 1.2");
    }

    private async Task<(List<double> Times, long Kib)> ByOrchestrator(string image, int round, CancellationToken cancellation)
    {
        var folder = Path.Combine(containerd.Folder, string.Create(CultureInfo.InvariantCulture, $"o{round}"));
        Directory.CreateDirectory(folder);
        var endpoint = ChannelEndpoint.Directory(folder, EnclavePorts.Control);
        await using var process = await containerd.StartInside($"orchestrator-{round}", orchestrator,
            "--listen", endpoint.ToString(), "--runtime", "containerd", "--containerd-socket", containerd.Socket);
        await process.Until("listening", () => Task.FromResult(File.Exists(Path.Combine(folder, $"guest_{EnclavePorts.Control}"))), cancellation);
        using var session = new EnclaveSession(HostTransport.For(endpoint));
        await session.HelloAsync(EgressPort, "bench", "info", TimeProvider.System, StartTime, cancellation);
        var bytes = ManifestCodec.Write(ManifestOf(image, round));
        await session.PutManifestAsync(new LoadedManifest(ManifestCodec.Read(bytes), bytes, ManifestCodec.Digest(bytes)), cancellation);
        var started = await Started(session, cancellation);
        var kib = ProcessFacts.ResidentKib(ProcessFacts.OnlyChild(process.Id));
        // It ends by itself with its containers.
        await session.StopAsync(StopGrace, cancellation);
        await process.Ended(cancellation);
        return ([.. started.Zip(started.Skip(1), (one, next) => (double)(next - one))], kib);
    }

    private static async Task<List<long>> Started(EnclaveSession session, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(StartTime);
        EnclaveStatus? last = null;
        try
        {
            using var call = session.WatchStatus(limit.Token);
            while (await call.ResponseStream.MoveNext(limit.Token))
            {
                last = call.ResponseStream.Current;
                if (last.Containers.All(container => container.State == "Running"))
                    return [.. last.Containers.Select(container => container.StartedUnixMilliseconds)];
            }
        }
        catch (RpcException) when (limit.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            // Told below, with what it was waiting for.
        }

        throw new InvalidOperationException($"the containers have not all been started: {last}");
    }

    private static EnclaveManifest ManifestOf(string image, int round)
    {
        var app = Manifests.App(image, [], 1, 1, "bench") with { Ports = [] };
        // A sandbox of its own each time: the name of the one before is still taken.
        return Manifests.One(app) with
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"bench-{round}"),
            Containers = [.. Roles.Select(role => app with { Name = role, Role = role, ProxyPort = role == ContainerRole.Auth ? 1 : null })],
        };
    }

    private async Task<double> ByCtr(string image, string name, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var code = await containerd.Ctr(["run", "--detach", "--null-io", "--net-host", "--seccomp", "--cgroup", $"/enclave/{name}", image, name], cancellation);
        var time = watch.Elapsed.TotalMilliseconds;
        if (code != 0)
            throw new InvalidOperationException($"ctr run ended with {code}");
        await containerd.Ctr(["tasks", "rm", "--force", name], cancellation);
        await containerd.Ctr(["containers", "rm", name], cancellation);
        return time;
    }
}
