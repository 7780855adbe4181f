using System.Collections.Concurrent;
using System.Text;
using Enclaves.Tests.Cluster.Oracle;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What may happen to the streams and replies between a Reconciler and its API server, and what must not come of it.</summary>
public sealed class StreamFaultTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_watch_that_ends_in_the_middle_of_a_line_is_taken_up_before_that_line()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var cut = 0;
        reconciler.Proxy.EndAfter = (what, length) => IsWatchOf(what, "nitroenclavedeployments") && Interlocked.Increment(ref cut) <= 2 ? length / 2 : null;
        await space.Create(Neds.Valid());
        await Converged(space, reconciler);
        cut.ShouldBeGreaterThanOrEqualTo(2);
        reconciler.Log.ShouldContain("cut in the middle of a line");
    }

    [Fact]
    public async Task A_reply_that_is_lost_after_each_first_write_of_an_object_makes_nothing_twice()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var lost = new ConcurrentDictionary<string, bool>();
        var created = new ConcurrentQueue<string>();
        // An event has another name each time: one is lost, not all.
        reconciler.Proxy.LosesReply = what => lost.TryAdd(what.Split(".")[0], true);
        reconciler.Proxy.Created = (what, _) => created.Enqueue(what);
        await space.Create(Neds.Valid());
        await Converged(space, reconciler);
        await space.Patch(Neds.Name, """{"spec":{"revisionHistoryLimit":0,"replicas":0,"userPlugins":[{"name":"web","image":"registry.example/web:2"}]}}""");
        await Converged(space, reconciler);
        string.Join('\n', lost.Keys).ShouldContain("DELETE");
        lost.Count.ShouldBeGreaterThanOrEqualTo(7, "two manifests, Deployment, Service, status, and two that are deleted");
        created.Count(what => what.EndsWith("/deployments/hello", StringComparison.Ordinal)).ShouldBe(1);
        created.Count(what => what.Contains("/configmaps/", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Theory]
    [InlineData("nitroenclavedeployments")]
    [InlineData("configmaps")]
    [InlineData("deployments")]
    [InlineData("services")]
    [InlineData("replicasets")]
    public async Task A_watch_that_lags_behind_the_others_does_no_harm(string kind)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        foreach (var name in new[] { "changed", "portless", "gone", "again" })
            await space.Create(Neds.Valid(name));
        await Converged(space, reconciler);
        var lag = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        reconciler.Proxy.Hold = what => IsWatchOf(what, kind) ? lag.Task : Task.CompletedTask;
        await space.Create(Neds.Valid("new"));
        await space.Patch("changed", """{"spec":{"replicas":2,"strategy":{"type":"Recreate"},"userPlugins":[{"name":"web","image":"registry.example/web:2"}]}}""");
        await space.Patch("portless", """{"spec":{"service":{"type":"None"}}}""");
        await space.Delete("gone");
        await space.Delete("again");
        await space.Create(Neds.Valid("again"));
        // Long enough for the Reconciler to act on what it sees: the garbage collector has been there.
        await Wait.Until("what the deleted ones left is gone", async () => await space.Deployment("gone") is null && await space.Service("gone") is null
            && (await space.Manifests("gone")).Count == 0, explain: () => reconciler.Log);
        var made = reconciler.Proxy.Writes.Count(write => write.EndsWith("/deployments/gone", StringComparison.Ordinal));
        lag.SetResult();
        await Converged(space, reconciler);
        reconciler.Proxy.Writes.Count(write => write.EndsWith("/deployments/gone", StringComparison.Ordinal)).ShouldBe(made);
        (await space.Deployment("gone")).ShouldBeNull();
    }

    [Fact]
    public async Task A_connection_that_stalls_without_an_end_is_given_up_and_nothing_is_missed()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var link = TcpLink.Open();
        var kubeconfig = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(kubeconfig, await link.Kubeconfig(), Encoding.UTF8, TestContext.Current.CancellationToken);
            var port = ChildProcess.Ports.Next();
            await using var reconciler = ChildProcess.Start("Reconciler", "--namespace", space.Name, "--kubeconfig", kubeconfig, "--port", $"{port}");
            await reconciler.Ready(port);
            await space.Create(Neds.Valid("before"));
            await space.Reconciled(ned: "before", explain: () => reconciler.Log);
            link.StallOpenConnections();
            await space.Create(Neds.Valid());
            await space.Reconciled(explain: () => reconciler.Log);
            await Converge.Until(cluster.Client, space.Name, () => reconciler.Log);
        }
        finally
        {
            File.Delete(kubeconfig);
        }
    }

    private static bool IsWatchOf(string what, string plural) =>
        what.StartsWith("WATCH ", StringComparison.Ordinal) && what.EndsWith($"/{plural}", StringComparison.Ordinal);

    private Task Converged(TestNamespace space, ReconcilerProcess reconciler) => Converge.Until(cluster.Client, space.Name, () => reconciler.Log);
}
