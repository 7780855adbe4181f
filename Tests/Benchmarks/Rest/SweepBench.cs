using System.Net;
using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Reconciler.Status;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Enclaves.Tests.Benchmarks.Rest;

/// <summary>
/// A health sweep of 2,000 enclaves, each with an address of its own on the loopback, where one server answers for all of them with a status
/// as a real EnclaveHost gives it; and the same with a tenth of them that take the question and never answer.
/// </summary>
internal static class SweepBench
{
    private const int Enclaves = 2000;
    private const int EachSilent = 10;
    private const int Rounds = 5;

    private static readonly byte[] Status = """
        {"state":"Running","since":"2026-03-02T09:41:09.1Z","startedAt":"2026-03-02T09:41:00Z","driver":"nitro","confidential":true,"boots":1,
        "manifestDigest":"9f1c0d6f0d4b7a0f7f2d4bd6a6a0d3f0d9c7d5c5a7e91e0d8e4e5b4d2f90b8c17e2a0c9d5b6f7e8a9b0c1d2e3f405162",
        "enclave":{"id":"i-0123456789abcdef0-enc0123456789abcdef","cid":16,"cpuCount":2,"memoryMib":1024},
        "measurements":{"pcr0":"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "pcr1":"111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111",
        "pcr2":"222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222","simulated":false},
        "health":{"healthy":true,"reason":"Healthy","message":"","at":"2026-03-02T10:00:00Z"},
        "transitions":[{"from":"Starting","to":"Booting","reason":"BootStarted","message":""},{"from":"Booting","to":"Booted","reason":"Answered","message":""},
        {"from":"Booted","to":"ManifestSynced","reason":"ManifestAccepted","message":""},{"from":"ManifestSynced","to":"Running","reason":"PluginsStarted","message":""}],
        "containers":[{"name":"web","role":"User","state":"Running","ready":true,"restarts":0,"image":"registry.example/web:1",
        "imageDigest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","startedAt":"2026-03-02T09:41:08Z"},
        {"name":"sidecar","role":"User","state":"Running","ready":true,"restarts":2,"image":"registry.example/sidecar:1",
        "imageDigest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","startedAt":"2026-03-02T09:51:08Z",
        "lastTermination":{"exitCode":1,"reason":"Error","message":""}}]}
        """u8.ToArray();

    /// <summary>Measures.</summary>
    public static async Task Run(CancellationToken cancellation)
    {
        Figures.Step($"sweeping {Enclaves} simulated EnclaveHosts");
        Figures.Print("rest.sweep_2000_s", await Measure(silent: false, Rounds, cancellation), "s", "≤ 10");
        Figures.Print("rest.sweep_2000_tenth_silent_s", await Measure(silent: true, 1, cancellation), "s", "≤ 25");
    }

    private static async Task<double> Measure(bool silent, int rounds, CancellationToken cancellation)
    {
        await using var server = await Start(silent, cancellation);
        var port = new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        var stores = new ClusterStores { IsOfOneNamespace = true };
        Fill(stores);
        using var reader = new EnclaveStatusReader();
        using var statuses = new EnclaveStatuses(reader, stores, TimeProvider.System, pod => new IPEndPoint(IPAddress.Parse(pod.TextAt("status", "podIP")!), port));
        using var events = new EventRecorder(new NoEvents(), TimeProvider.System, NullLogger<EventRecorder>.Instance);
        var sweep = new HealthSweep(statuses, stores, new SweepFindings(stores), new NedEvents(events), TimeProvider.System, NullLogger<HealthSweep>.Instance);
        var seconds = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            var summary = await sweep.RunAsync(cancellation);
            var expected = silent ? Enclaves - (Enclaves / EachSilent) : Enclaves;
            if (summary.Answered != expected)
                throw new InvalidOperationException($"{summary.Answered} of {expected} answered, and {summary.NotAsked} were not asked");
            seconds.Add(summary.Seconds);
            // Each is asked once a second at most; what is known already would be no question.
            await Task.Delay(TimeSpan.FromSeconds(1.1), cancellation);
        }

        return Figures.Median(seconds);
    }

    private static async Task<WebApplication> Start(bool silent, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Any, 0));
        var app = builder.Build();
        app.MapGet("/status", async (HttpContext context) =>
        {
            if (silent && Number(context.Connection.LocalIpAddress!) % EachSilent == 0)
                await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = Status.Length;
            await context.Response.Body.WriteAsync(Status, context.RequestAborted);
        });
        await app.StartAsync(cancellation);
        return app;
    }

    private static int Number(IPAddress address) => address.MapToIPv4().GetAddressBytes() is [_, _, var high, var low] ? (high * 250) + low - 1 : 0;

    private static void Fill(ClusterStores stores)
    {
        for (var ned = 0; ned < Enclaves / 4; ned++)
            stores.Neds.Put(Object($$$"""{"metadata":{"name":"ned-{{{ned}}}","namespace":"default","uid":"n{{{ned}}}","resourceVersion":"1"}}"""));
        for (var pod = 0; pod < Enclaves; pod++)
        {
            stores.Pods.Put(Object($$$"""
                {"metadata":{"name":"pod-{{{pod}}}","namespace":"default","uid":"p{{{pod}}}","resourceVersion":"1","labels":{"k8s.oblv.com/deployment":"ned-{{{pod / 4}}}"} },
                "status":{"podIP":"127.1.{{{pod / 250}}}.{{{(pod % 250) + 1}}}","conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"True"}],
                "containerStatuses":[{"name":"enclave-host","restartCount":0,"state":{"running":{} }}]}}
                """));
        }
    }

    private static LiveObject Object(string json)
    {
        using var document = JsonDocument.Parse(json);
        return LiveObject.From(document.RootElement.Clone())!;
    }

    private sealed class NoEvents : IEventSink
    {
        public Task WriteAsync(EventState state, CancellationToken cancellation) => Task.CompletedTask;
    }
}
