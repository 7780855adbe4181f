using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Jobs whose history is kept in a real PostgreSQL, which is away, is killed and comes back.</summary>
public sealed class PostgresTests(ClusterFixture cluster)
{
    private const string ConnectionVariable = "ENCLAVES_JOBS__POSTGRES";

    // Every second: what fires is seen soon.
    private static readonly string[] Often = ["--jobs:resync", "* * * * * *"];

    [Fact]
    public async Task Nothing_is_lost_while_the_database_is_away_is_killed_under_load_and_comes_back()
    {
        const int actions = 24;
        await using var space = await TestNamespace.Create(cluster);
        await using var postgres = await PostgresServer.Create();
        await using var reconciler = await ReconcilerProcess.Start(space.Name, _ => { }, Connection(postgres), Often);

        // It is not even there yet: NEDs are worked and actions carried out all the same.
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var generation = (await space.Deployment())!.Metadata.Generation;
        await ActionTests.Ask(space, Neds.Name, "before", ActionTests.Action("restart"));
        await ActionTests.NothingWaits(space, () => reconciler.Log);
        Away(reconciler).ShouldBe(1, reconciler.Log);

        await postgres.Start();
        await Wait.Until("jobs run", async () => await Succeeded(postgres, "resync") > 0, explain: () => reconciler.Log);
        var neds = Enumerable.Range(0, 8).Select(number => $"load-{number}").ToList();
        for (var action = 0; action < actions; action++)
        {
            if (action < neds.Count)
                await space.Create(Neds.Valid(neds[action]));
            await ActionTests.Ask(space, Neds.Name, $"a{action}", ActionTests.Action("restart"));
            if (action == actions / 3)
                await postgres.Kill();
            if (action == actions * 2 / 3)
                await postgres.Start();
            await Task.Delay(150, TestContext.Current.CancellationToken);
        }

        await ActionTests.NothingWaits(space, () => reconciler.Log);
        foreach (var ned in neds)
            await Wait.Until($"{ned} is reconciled", async () => (string?)(await space.Ned(ned))["status"]?["status"] == "SCHEDULED", explain: () => reconciler.Log);
        (await space.Deployment())!.Metadata.Generation.ShouldBe(generation + 1 + actions, reconciler.Log);
        // And the jobs go on by themselves, in the same database.
        var before = await Succeeded(postgres, "resync");
        await Wait.Until("jobs run again", async () => await Succeeded(postgres, "resync") > before, explain: () => reconciler.Log);
        // Once for each time that it was away; one that was met while it was starting may be one more.
        Away(reconciler).ShouldBeInRange(2, 3, reconciler.Log);
    }

    [Fact]
    public async Task Actions_are_seen_as_jobs_that_hold_names_only_and_the_password_is_nowhere()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var postgres = await PostgresServer.Create();
        await postgres.Start();
        await using var reconciler = await ReconcilerProcess.Start(space.Name, _ => { }, Connection(postgres), Often);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await Wait.Until("jobs run", async () => await Succeeded(postgres, "resync") > 0, explain: () => reconciler.Log);
        await ActionTests.Ask(space, Neds.Name, "seen", ActionTests.Action("restart"));
        await ActionTests.NothingWaits(space, () => reconciler.Log);
        var job = await Wait.For("the job has succeeded", async () =>
            (await postgres.Query("SELECT arguments FROM enclaves.job WHERE invocationdata::text LIKE '%ActionJob%' AND statename = 'Succeeded'")).SingleOrDefault(),
            explain: () => reconciler.Log);
        job.ShouldContain("seen");
        job.ShouldContain(space.Name);
        // Who asked is in the event and nowhere else but in what the job answered.
        job.ShouldNotContain("ada@example.org");
        (await postgres.Dump()).ShouldNotContain(PostgresServer.Password);
        reconciler.Log.ShouldNotContain(PostgresServer.Password);
    }

    private static Dictionary<string, string> Connection(PostgresServer postgres) => new() { [ConnectionVariable] = postgres.Connection };

    private static int Away(ReconcilerProcess reconciler) => reconciler.Log.Split("The PostgreSQL database of the jobs cannot be used").Length / 2;

    private static async Task<int> Succeeded(PostgresServer postgres, string job) => int.Parse(
        (await postgres.Query($"SELECT count(*) FROM enclaves.job WHERE statename = 'Succeeded' AND invocationdata::text ILIKE '%{job}%'")).Single(),
        System.Globalization.CultureInfo.InvariantCulture);
}
