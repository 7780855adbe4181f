using System.Net;
using System.Net.ServerSentEvents;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

/// <summary>/watch over TLS.</summary>
public sealed class RestStreamTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_namespace_without_a_name_is_none()
    {
        await using var host = await RestHost.Start();
        host.Neds.Put("a", "one");
        using var stream = await Watch(host.Client("reader"), "api/v1/watch?namespace=");
        (await Types(stream, 3)).ShouldBe(["reset", "put", "synced"]);
    }

    [Fact]
    public async Task A_stream_outlives_the_last_NED_of_its_namespaces_and_not_the_right_to_it()
    {
        await using var host = await RestHost.Start();
        host.Neds.PutNamespace("a");
        host.Kubernetes.May = (_, _, space) => space == "a";
        host.Neds.Put("a", "one");
        using var stream = await Watch(host.Client("reader"));
        (await Types(stream, 3)).ShouldBe(["reset", "put", "synced"]);
        host.Neds.Remove("a", "one");
        (await Types(stream, 1)).ShouldBe(["delete"]);
        await Looks(host, 3);
        host.Neds.Put("a", "two");
        (await Types(stream, 1)).ShouldBe(["put"]);

        host.Kubernetes.May = (_, _, _) => false;
        await Looks(host, 3);
        (await Types(stream, 10)).ShouldBeEmpty("it has ended");
    }

    [Fact]
    public async Task A_reader_that_does_not_read_does_not_outlive_its_token()
    {
        await using var host = await RestHost.Start();
        for (var number = 0; number < 300; number++)
            host.Neds.Put("a", $"ned-{number}", $"app={new string('x', 10_000)}");
        using var stuck = await Watch(host.Client("stuck"));
        using var quick = await Watch(host.Client("quick"));
        (await Types(quick, 302))[^1].ShouldBe("synced");
        host.Neds.Put("a", "last");
        (await Types(quick, 1)).ShouldBe(["put"]);

        host.Kubernetes.Users.TryRemove("stuck", out _);
        await Looks(host, 1);
        // Of three megabytes it gets what was on the way, and then its end.
        var told = new List<string>();
        try
        {
            told.AddRange(await Types(stuck, 1000));
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            // In the middle of an event.
        }

        told.ShouldNotContain("synced");
        host.Neds.Put("a", "after");
        (await Types(quick, 1)).ShouldBe(["put"]);
    }

    // Time passes until rights are looked at again with so many questions; what was answered before does not count any more.
    private static async Task Looks(RestHost host, int questions)
    {
        var before = host.Kubernetes.Asked.Count;
        host.Time.Advance(TimeSpan.FromSeconds(21));
        await RestHost.Until(() => host.Kubernetes.Asked.Count >= before + questions);
    }

    private static async Task<StreamReading> Watch(HttpClient client, string path = "api/v1/watch")
    {
        var reply = await client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        reply.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new StreamReading(reply);
    }

    private static async Task<IReadOnlyList<string>> Types(StreamReading stream, int count)
    {
        var types = new List<string>();
        while (types.Count < count && await stream.Items.MoveNextAsync().AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken))
        {
            if (stream.Items.Current.EventType is not "ping" and var type)
                types.Add(type);
        }

        return types;
    }

    private sealed class StreamReading(HttpResponseMessage reply) : IDisposable
    {
        public IAsyncEnumerator<SseItem<string>> Items { get; } = SseParser.Create(reply.Content.ReadAsStream()).EnumerateAsync().GetAsyncEnumerator();

        public void Dispose() => reply.Dispose();
    }
}
