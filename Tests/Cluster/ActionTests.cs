using System.Globalization;
using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Actions as the REST API writes them: annotations on NEDs that the leader carries out, each once.</summary>
public sealed class ActionTests(ClusterFixture cluster)
{
    private const string Lease = "reconciler";

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task A_restart_is_one_rollout_of_the_same_manifest_and_one_event_with_jobs_and_without(string jobs)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name, "--jobs:enabled", jobs);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var before = (await space.Deployment())!;
        await Ask(space, Neds.Name, "one", Action("restart"));
        await NothingWaits(space, () => reconciler.Log);
        var after = (await space.Deployment())!;
        after.Metadata.Generation.ShouldBe(before.Metadata.Generation + 1);
        var (old, now) = (before.Spec.Template.Metadata.Annotations, after.Spec.Template.Metadata.Annotations);
        now[NedAnnotations.ManifestDigest].ShouldBe(old[NedAnnotations.ManifestDigest]);
        now[NedAnnotations.Manifest].ShouldBe(old[NedAnnotations.Manifest]);
        now.ShouldContainKey(NedAnnotations.RestartedAt);
        var told = (await Told(space, "RestartRequested")).ShouldHaveSingleItem();
        told.Note.ShouldContain("ada@example.org asked for it");
        told.Note.ShouldContain("(action one)");

        // The Reconciler's own applies leave it alone, also when there is something to apply.
        await space.Patch(Neds.Name, """{"spec":{"minReadySeconds":7}}""");
        var changed = await Wait.For("the change", async () => await space.Deployment() is { Spec.MinReadySeconds: 7 } found ? found : null, explain: () => reconciler.Log);
        changed.Spec.Template.Metadata.Annotations[NedAnnotations.RestartedAt].ShouldBe(now[NedAnnotations.RestartedAt]);
    }

    [Fact]
    public async Task The_same_restart_once_more_is_none()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name, "--jobs:enabled", "true");
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await Ask(space, Neds.Name, "one", Action("restart"));
        await NothingWaits(space, () => reconciler.Log);
        var generation = (await space.Deployment())!.Metadata.Generation;
        await Ask(space, Neds.Name, "one", Action("restart"));
        await NothingWaits(space, () => reconciler.Log);
        (await space.Deployment())!.Metadata.Generation.ShouldBe(generation);
        (await Told(space, "RestartRequested")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_look_that_is_asked_for_comes_at_once_although_failures_have_earned_a_pause()
    {
        await using var space = await TestNamespace.Create(cluster);
        await space.CreateDeployment(new V1Deployment
        {
            Metadata = new V1ObjectMeta { Name = Neds.Name },
            Spec = new V1DeploymentSpec
            {
                Replicas = 0,
                Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = "other" } },
                Template = new V1PodTemplateSpec
                {
                    Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = "other" } },
                    Spec = new V1PodSpec { Containers = [new V1Container { Name = "c", Image = "registry.example/c:1" }] },
                },
            },
        });
        await using var reconciler = await ReconcilerProcess.Start(space.Name, "--jobs:enabled", "true");
        await space.Create(Neds.Valid());
        await Wait.Until("the conflict is told", async () => (await space.EventReasons()).Contains("NameConflict"), explain: () => reconciler.Log);
        await space.DeleteDeployment();
        await Ask(space, Neds.Name, "look", Action("reconcile"));
        // Else it is looked at again after fifteen seconds.
        await Wait.Until("the Deployment is made", async () => await space.Deployment() is not null, TimeSpan.FromSeconds(8), () => reconciler.Log);
        await NothingWaits(space, () => reconciler.Log);
        (await Told(space, "ReconcileRequested")).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("""{"action":"explode","time":"2026-03-02T09:41:07Z","by":"x"}""")]
    [InlineData("""{"action":"restart","time":"2999-03-02T09:41:07Z","by":"x"}""")]
    [InlineData("restart")]
    public async Task What_is_no_action_is_refused_with_an_event_and_removed(string value)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name, "--jobs:enabled", "true");
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var generation = (await space.Deployment())!.Metadata.Generation;
        await Ask(space, Neds.Name, "one", value);
        await NothingWaits(space, () => reconciler.Log);
        (await Told(space, "ActionRefused")).Count.ShouldBe(1);
        (await space.Deployment())!.Metadata.Generation.ShouldBe(generation);
    }

    [Fact]
    public async Task Fifty_actions_are_carried_out_once_each_while_leaders_are_killed()
    {
        const int neds = 5;
        const int each = 10;
        await using var space = await TestNamespace.Create(cluster);
        // Short, so that a killed leader is soon followed, and long enough for a busy machine to renew it.
        string[] Arguments(string identity) =>
        [
            "--lease:namespace", space.Name, "--lease:name", Lease, "--lease:identity", identity,
            "--jobs:enabled", "true", "--lease:duration", "00:00:06", "--lease:renewDeadline", "00:00:05", "--lease:renewInterval", "00:00:00.5", "--lease:retry", "00:00:00.5",
        ];
        await using var first = await Supervised.Start(space.Name, Arguments("first"));
        await using var second = await Supervised.Start(space.Name, Arguments("second"));
        string Log() => $"first:\n{first.Log}\nsecond:\n{second.Log}";
        var names = Enumerable.Range(0, neds).Select(number => $"ned-{number}").ToList();
        foreach (var name in names)
            await space.Create(Neds.Valid(name));
        foreach (var name in names)
            await Wait.Until($"{name} is reconciled", async () => (string?)(await space.Ned(name))["status"]?["status"] == "SCHEDULED", explain: Log);
        var generations = new Dictionary<string, long?>();
        foreach (var name in names)
            generations[name] = (await space.Deployment(name))!.Metadata.Generation;

        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var asked = new CancellationTokenSource();
        var killing = KillLeaders(space, (first, second), new Random(seed + 1), asked.Token);
        for (var number = 0; number < neds * each; number++)
        {
            await Ask(space, names[number % neds], $"a{number}", Action("restart"));
            await Task.Delay(random.Next(600), TestContext.Current.CancellationToken);
        }

        await asked.CancelAsync();
        (await killing).ShouldBeGreaterThan(1);
        await NothingWaits(space, Log, names);
        foreach (var name in names)
            (await space.Deployment(name))!.Metadata.Generation.ShouldBe(generations[name] + each, Log());
        var told = await Wait.For("the events", async () => await Told(space, "RestartRequested") is { Count: >= neds * each } all ? all : null, explain: Log);
        told.Count.ShouldBe(neds * each);
        told.Select(note => note.Note[note.Note.IndexOf("(action ", StringComparison.Ordinal)..]).Distinct().Count().ShouldBe(neds * each);
    }

    internal static string Action(string kind) => new JsonObject
    {
        ["action"] = kind,
        ["time"] = DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture),
        ["by"] = "ada@example.org",
    }.ToJsonString();

    internal static Task Ask(TestNamespace space, string ned, string id, string value) => space.Patch(ned, new JsonObject
    {
        ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [$"{NedAnnotations.ActionPrefix}{id}"] = value } },
    }.ToJsonString());

    internal static async Task NothingWaits(TestNamespace space, Func<string> log, IReadOnlyList<string>? neds = null)
    {
        foreach (var ned in neds ?? [Neds.Name])
        {
            await Wait.Until($"no action waits on {ned}", async () =>
                (await space.Ned(ned))["metadata"]!["annotations"]?.AsObject().Any(each => each.Key.StartsWith(NedAnnotations.ActionPrefix, StringComparison.Ordinal)) != true,
                explain: log);
        }
    }

    // As often as one leads, and some tenths of a second into its reign: in the middle of what it does.
    private static async Task<int> KillLeaders(TestNamespace space, (Supervised First, Supervised Second) replicas, Random random, CancellationToken until)
    {
        var kills = 0;
        while (!until.IsCancellationRequested)
        {
            string? leader = null;
            await Wait.Until("somebody leads", async () =>
                until.IsCancellationRequested || !string.IsNullOrEmpty(leader = (await space.Lease(Lease)).Spec.HolderIdentity));
            await Task.Delay(random.Next(1500), TestContext.Current.CancellationToken);
            if (until.IsCancellationRequested || leader is null)
                break;
            (leader == "first" ? replicas.First : replicas.Second).Kill();
            kills++;
            await Wait.Until("another leads", async () => until.IsCancellationRequested || (await space.Lease(Lease)).Spec.HolderIdentity != leader);
        }

        return kills;
    }

    private async Task<IList<Eventsv1Event>> Told(TestNamespace space, string reason) =>
        [.. (await cluster.Client.EventsV1.ListNamespacedEventAsync(space.Name)).Items.Where(told => told.Reason == reason)];
}
