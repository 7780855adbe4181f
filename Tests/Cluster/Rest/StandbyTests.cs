using System.Net;
using k8s;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>What only the leader has, asked of a replica that does not lead.</summary>
public sealed class StandbyTests(ClusterFixture cluster)
{
    private const string Lease = "reconciler";

    [Fact]
    public async Task The_jobs_are_shown_and_their_buttons_pressed_through_a_standby()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var leader = await RestApi.Start(space.Name, Replica(space.Name, "first"));
        await Wait.Until("the first leads", async () => (await space.Lease(Lease)).Spec.HolderIdentity == "first", explain: () => leader.Reconciler.Log);
        await using var standby = await leader.StartAnother(space.Name, Replica(space.Name, "second"));
        var token = await cluster.User(space.Name, "operator");
        await cluster.AllowEverywhere(space.Name, "operator");
        var client = standby.Http(token);

        var direct = await Wait.For("the leader shows them", () => Page(leader.Http(token), "hangfire/recurring"), explain: () => leader.Reconciler.Log);
        var forwarded = await Wait.For("the standby shows them", () => Page(client, "hangfire/recurring"), explain: () => standby.Reconciler.Log);
        forwarded.Body.ShouldContain("manifests");
        forwarded.Headers.ShouldBe(direct.Headers);

        using var form = new FormUrlEncodedContent([new("jobs[]", "manifests")]);
        using (var pressed = await client.PostAsync(new Uri("hangfire/recurring/trigger", UriKind.Relative), form))
            pressed.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await Wait.Until("the job has run", async () => await Page(client, "hangfire/jobs/succeeded") is { } page
            && page.Body.Contains("Manifests", StringComparison.OrdinalIgnoreCase), explain: () => leader.Reconciler.Log);

        using var nobody = await standby.Http(await cluster.User(space.Name, "nobody")).GetAsync(new Uri("hangfire", UriKind.Relative));
        nobody.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        standby.Reconciler.Proxy.Writes.ShouldAllBe(write => write.Contains("review", StringComparison.Ordinal));
    }

    private static string[] Replica(string space, string identity) =>
        ["--lease:namespace", space, "--lease:name", Lease, "--lease:identity", identity, "--lease:host", "127.0.0.1"];

    // With the headers by which a browser is told what a page may do.
    private static async Task<HangfirePage?> Page(HttpClient client, string path)
    {
        using var reply = await client.GetAsync(new Uri(path, UriKind.Relative));
        if (reply.StatusCode != HttpStatusCode.OK)
            return null;
        string[] names = ["Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cache-Control"];
        return new HangfirePage(await reply.Content.ReadAsStringAsync(), [.. names.Select(name => $"{name}: {string.Join(" | ", reply.Headers.GetValues(name))}")]);
    }

    private sealed record HangfirePage(string Body, IReadOnlyList<string> Headers);
}
