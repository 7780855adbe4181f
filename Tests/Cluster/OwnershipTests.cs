using Enclaves.Api;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What the Reconciler does about what others do.</summary>
public sealed class OwnershipTests(ClusterFixture cluster)
{
    [Fact]
    public async Task Drift_of_what_we_own_is_put_right()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.PatchDeployment("""{"spec":{"replicas":5,"template":{"metadata":{"annotations":{"k8s.oblv.com/manifest":"another"}}}}}""");
        await space.PatchService("""{"spec":{"selector":{"k8s.oblv.com/deployment":"other"}}}""");
        await Wait.Until("Deployment and Service are as the NED says", async () =>
        {
            var deployment = (await space.Deployment())!;
            return deployment.Spec.Replicas == 1
                && deployment.Spec.Template.Metadata.Annotations["k8s.oblv.com/manifest"].StartsWith("hello-manifest-", StringComparison.Ordinal)
                && (await space.Service())!.Spec.Selector["k8s.oblv.com/deployment"] == "hello";
        }, explain: () => reconciler.Log);
    }

    [Fact]
    public async Task Deleted_children_come_back()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        var old = (await space.Deployment())!.Uid();
        await space.DeleteDeployment();
        await space.DeleteService();
        await Wait.Until("a new Deployment and a new Service",
            async () => await space.Deployment() is { } deployment && deployment.Uid() != old && await space.Service() is not null,
            explain: () => reconciler.Log);
    }

    [Fact]
    public async Task Labels_of_others_on_our_children_stay()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.PatchDeployment("""{"metadata":{"labels":{"team":"blue"}}}""");
        await space.Patch("hello", """{"spec":{"replicas":2}}""");
        await Wait.Until("two replicas", async () => (await space.Deployment())!.Spec.Replicas == 2, explain: () => reconciler.Log);
        (await space.Deployment())!.Metadata.Labels["team"].ShouldBe("blue");
    }

    [Fact]
    public async Task Somebody_elses_Deployment_of_that_name_is_left_alone_and_reported_until_it_goes()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var foreign = await space.CreateDeployment(Foreign());
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Scheduled").ShouldBe("False NameConflict");
        ned.ConditionText("Stalled").ShouldBe("True NameConflict");
        ((string)ned.Condition("Scheduled")["message"]!).ShouldContain("rename or delete it");
        await Wait.Until("an event NameConflict", async () => (await space.EventReasons()).Contains("NameConflict"));
        var untouched = (await space.Deployment())!;
        untouched.Uid().ShouldBe(foreign.Uid());
        untouched.Metadata.OwnerReferences.ShouldBeNull();
        untouched.Spec.Template.Spec.Containers[0].Image.ShouldBe("registry.example/other:1");

        await space.DeleteDeployment();
        ned = await space.Reconciled(explain: () => reconciler.Log);
        ned.ConditionText("Stalled").ShouldBe("False NotStalled");
        (await space.Deployment())!.Metadata.IsControlledBy(ned).ShouldBeTrue();
    }

    [Fact]
    public async Task A_ned_where_no_webhook_looks_is_told_so_and_runs_nothing()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name, "--webhookExcludes", $"kube-system,{space.Name}");
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Stalled").ShouldBe("True NamespaceExcluded");
        ((string)ned.Condition("Scheduled")["message"]!).ShouldContain("create it in another namespace");
        (await space.Deployment()).ShouldBeNull();
    }

    [Fact]
    public async Task What_cannot_be_run_yet_is_said_and_what_ran_before_goes_on()
    {
        await using var space = await TestNamespace.Create(cluster, withWebhook: true);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Patch("hello", """{"spec":{"enclave":{"image":"registry.example/other@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}}""");
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Stalled").ShouldBe("True NotSupportedYet");
        ((string)ned.Condition("Scheduled")["message"]!).ShouldContain("spec.enclave.image");
        (await space.Deployment()).ShouldNotBeNull();
        await space.Patch("hello", """{"spec":{"enclave":{"image":null}}}""");
        (await space.Reconciled(explain: () => reconciler.Log)).ConditionText("Stalled").ShouldBe("False NotStalled");
    }

    [Fact]
    public async Task A_token_that_somebody_lets_in_again_is_kept_out()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.PatchDeployment("""{"spec":{"template":{"spec":{"automountServiceAccountToken":null}}}}""");
        await Wait.Until("the token is kept out again",
            async () => (await space.Deployment())!.Spec.Template.Spec.AutomountServiceAccountToken == false, explain: () => reconciler.Log);
    }

    [Fact]
    public async Task A_status_that_somebody_else_changes_is_put_right()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Settled();
        await space.PatchStatus("""{"status":{"ready":"7/7"}}""");
        await Wait.Until("READY is 0/1 again", async () => (string?)(await space.Ned())["status"]!["ready"] == "0/1", explain: () => reconciler.Log);
    }

    [Fact]
    public async Task A_ned_made_again_under_its_old_name_waits_for_what_the_old_one_left_and_alarms_nobody()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Delete("hello");
        var again = await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => reconciler.Log);
        await Wait.Until("the Deployment is the new one's", async () => (await space.Deployment())?.Metadata.IsControlledBy(again) == true, explain: () => reconciler.Log);
        (await space.EventReasons()).ShouldNotContain("NameConflict");
    }

    private static V1Deployment Foreign() => new()
    {
        Metadata = new V1ObjectMeta { Name = "hello" },
        Spec = new V1DeploymentSpec
        {
            Replicas = 0,
            Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = "other" } },
            Template = new V1PodTemplateSpec
            {
                Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = "other" } },
                Spec = new V1PodSpec { Containers = [new V1Container { Name = "other", Image = "registry.example/other:1" }] },
            },
        },
    };
}
