using System.IO.Pipelines;
using System.Net;
using System.Text;
using Enclaves.Reconciler.Rest.Serving;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

/// <summary>Pods' logs over TLS, from an API server that sends what a test says.</summary>
public sealed class PodLogTests
{
    private const string Path = "api/v1/namespaces/a/nitroenclavedeployments/one/enclaves/pod/logs";

    private const string Web = """{"time":"2030-01-01T12:00:00Z","container":"web","stream":"stdout","text":"hello"}""" + "\n";
    private const string Other = """{"time":"2030-01-01T12:00:00Z","container":"webs","stream":"stdout","text":"\"container\":\"web\""}""" + "\n";
    private static readonly string Long = new('x', 600_000);

    [Fact]
    public async Task Lines_of_one_plugin_are_told_from_those_of_others_and_from_what_is_no_line()
    {
        await using var host = await Start(Web + Other + "not json\n" + "{\"container\":\n" + Long + "\n" + """{"in":{"container":"web"}}""" + "\n" + Web.TrimEnd());
        (await Read(host, "?container=web")).ShouldBe(Web + Web.TrimEnd());
    }

    [Fact]
    public async Task Without_a_plugin_all_is_sent_on_byte_for_byte()
    {
        var log = Web + Long + "\n" + Other + "no end";
        await using var host = await Start(log);
        (await Read(host, "")).ShouldBe(log);
    }

    [Fact]
    public async Task A_log_that_is_followed_ends_with_its_readers_token_and_with_its_right()
    {
        await using var host = await Start();
        var pipes = Streams(host);
        using var revoked = await Follow(host, "revoked");
        using var forbidden = await Follow(host, "forbidden");
        using var reader = await Follow(host, "reader");
        foreach (var pipe in pipes)
            await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes(Web), TestContext.Current.CancellationToken);
        foreach (var log in new[] { revoked, forbidden, reader })
            (await Line(log)).ShouldBe(Web.TrimEnd());

        host.Kubernetes.Users.TryRemove("revoked", out _);
        host.Kubernetes.May = (user, _, _) => user == "reader";
        host.Time.Advance(TimeSpan.FromSeconds(21));
        (await Line(revoked)).ShouldBeNull();
        (await Line(forbidden)).ShouldBeNull();
        await pipes[2].Writer.WriteAsync(Encoding.UTF8.GetBytes(Web), TestContext.Current.CancellationToken);
        (await Line(reader)).ShouldBe(Web.TrimEnd());
    }

    [Fact]
    public async Task One_callers_logs_leave_room_for_those_of_another()
    {
        await using var host = await Start();
        Streams(host);
        var open = new List<StreamReader>();
        for (var log = 0; log < RestLimits.LogsOfOne; log++)
            open.Add(await Follow(host, "greedy"));
        using var refused = await host.Client("greedy").GetAsync(new Uri(Path + "?follow=true", UriKind.Relative), TestContext.Current.CancellationToken);
        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        using var other = await Follow(host, "modest");
        open.ForEach(log => log.Dispose());
    }

    private static async Task<RestHost> Start(string log = "")
    {
        var host = await RestHost.Start();
        host.Neds.Put("a", "one");
        host.Neds.PutPod("a", "one", "pod");
        host.Kubernetes.Answer = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(log)) };
        return host;
    }

    // A log for each that is asked for, in that order.
    private static List<Pipe> Streams(RestHost host)
    {
        var pipes = new List<Pipe>();
        host.Kubernetes.Answer = _ =>
        {
            pipes.Add(new Pipe());
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(pipes[^1].Reader.AsStream()) };
        };
        return pipes;
    }

    private static async Task<StreamReader> Follow(RestHost host, string token)
    {
        var reply = await host.Client(token).GetAsync(new Uri(Path + "?follow=true", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        reply.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new StreamReader(await reply.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    private static Task<string?> Line(StreamReader log) =>
        log.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

    private static Task<string> Read(RestHost host, string query) => host.Client("reader").GetStringAsync(new Uri(Path + query, UriKind.Relative), TestContext.Current.CancellationToken);
}
