using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>What a real API server refuses for a NED is told by a named cause, once, and is forgotten when it is mended.</summary>
public sealed class RefusalTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_quota_without_room_for_a_child()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await Quota(space, "count/services");
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Scheduled").ShouldBe("False QuotaExceeded");
        ned.ConditionText("Stalled").ShouldBe("True QuotaExceeded");
        Message(ned, "Scheduled").ShouldContain("exceeded quota: tight");
        await DeleteQuota(space);
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Told(["ManifestCreated", "QuotaExceeded", "DeploymentAccepted"]);
    }

    [Fact]
    public async Task A_quota_without_room_for_the_pods()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await Quota(space, "pods");
        await space.Create(Neds.Valid());
        var ned = await Unhealthy(space, "QuotaExceeded", reconciler);
        Message(ned, "EnclavesHealthy").ShouldContain("spec.strategy.rollingUpdate.maxSurge");
        Message(ned, "Reconciling").ShouldContain("exceeded quota: tight");
        await DeleteQuota(space);
        await Mended(space, reconciler);
        await space.Told(["ManifestCreated", "DeploymentAccepted", "QuotaExceeded"]);
    }

    [Fact]
    public async Task A_right_that_the_reconciler_has_not()
    {
        await using var space = await TestNamespace.Create(cluster);
        const string user = "somebody";
        await Allow(space, user, "services", "get", "list", "watch");
        await using var reconciler = await ReconcilerProcess.Start(space.Name, proxy => proxy.As = user);
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Scheduled").ShouldBe("False Forbidden");
        Message(ned, "Scheduled").ShouldContain($"give {user} that right");
        await Allow(space, user, "services", "get", "list", "watch", "create", "patch", "delete");
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Told(["ManifestCreated", "Forbidden", "DeploymentAccepted"]);
    }

    [Fact]
    public async Task A_policy_that_denies_a_child()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var policy = await PolicyWebhook.Start(cluster, space.Name, "apps", "deployments");
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        policy.Denies("every Deployment needs a label team");
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Scheduled").ShouldBe("False AdmissionDenied");
        Message(ned, "Scheduled").ShouldContain($"\"{PolicyWebhook.Name}\" denied the request: every Deployment needs a label team");
        await policy.Unregister();
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Told(["ManifestCreated", "AdmissionDenied", "DeploymentAccepted"]);
    }

    // In the words of the API server's own pod security, which servers before 1.22 do not have.
    [Theory]
    [InlineData("violates PodSecurity \"restricted:latest\": runAsNonRoot != true", "pod-security.kubernetes.io/enforce")]
    [InlineData("images must be signed", "have the rule changed")]
    public async Task A_policy_that_forbids_the_pods(string denial, string next)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var policy = await PolicyWebhook.Start(cluster, space.Name, "", "pods");
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        policy.Denies(denial);
        await space.Create(Neds.Valid());
        var message = Message(await Unhealthy(space, "PodsForbidden", reconciler), "EnclavesHealthy");
        message.ShouldContain(denial);
        message.ShouldContain(next);
        await policy.Unregister();
        await Mended(space, reconciler);
        await space.Told(["ManifestCreated", "DeploymentAccepted", "PodsForbidden"]);
    }

    [Fact]
    public async Task A_limit_range_that_forbids_the_pods()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await LimitPods(space, "cpu", least: "1");
        await space.Create(Neds.Valid());
        Message(await Unhealthy(space, "PodsForbidden", reconciler), "EnclavesHealthy").ShouldContain("minimum cpu usage per Pod is 1");
    }

    [Fact]
    public async Task A_webhook_that_does_not_answer_while_pods_are_made()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var policy = await PolicyWebhook.Start(cluster, space.Name, "", "pods");
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await policy.Ends();
        await space.Create(Neds.Valid());
        Message(await Unhealthy(space, "WebhookUnavailable", reconciler), "EnclavesHealthy").ShouldContain($"the webhook {PolicyWebhook.Name} does not answer");
        await policy.Unregister();
        await Mended(space, reconciler);
        await space.Told(["ManifestCreated", "DeploymentAccepted", "WebhookUnavailable"]);
    }

    [Fact]
    public async Task A_webhook_that_does_not_answer_while_a_child_is_made()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var policy = await PolicyWebhook.Start(cluster, space.Name, "", "services");
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        await policy.Ends();
        await space.Create(Neds.Valid());
        var ned = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        ned.ConditionText("Scheduled").ShouldBe("False WebhookUnavailable");
        ned.ConditionText("Stalled").ShouldBe("False NotStalled");
        await policy.Unregister();
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Told(["ManifestCreated", "WebhookUnavailable", "DeploymentAccepted"]);
    }

    [Theory]
    [InlineData("serviceAccountName", "nobody", "ServiceAccountMissing", "spec.template.serviceAccountName")]
    [InlineData("priorityClassName", "nothing", "InvalidPodTemplate", "spec.template.priorityClassName")]
    public async Task A_name_in_the_template_that_is_nobodys(string field, string name, string reason, string path)
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var ned = Neds.Valid();
        ned["spec"]!["template"]![field] = name;
        await space.Create(ned);
        Message(await Unhealthy(space, reason, reconciler), "EnclavesHealthy").ShouldContain(path);
        await space.Patch("hello", $$$$"""{"spec":{"template":{"{{{{field}}}}":null}}}""");
        await Mended(space, reconciler);
        await space.Told(["ManifestCreated", "DeploymentAccepted", reason]);
    }

    [Fact]
    public async Task A_value_in_the_template_that_no_Deployment_may_have()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var ned = Neds.Valid();
        ned["spec"]!["template"]!["tolerations"] = new JsonArray(new JsonObject { ["key"] = "a", ["operator"] = "Sometimes" });
        await space.Create(ned);
        var live = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        live.ConditionText("Scheduled").ShouldBe("False InvalidPodTemplate");
        Message(live, "Scheduled").ShouldContain(" spec.template.tolerations[0].operator");
        await space.Patch("hello", """{"spec":{"template":{"tolerations":null}}}""");
        await space.Reconciled(explain: () => reconciler.Log);
        await space.Told(["ManifestCreated", "InvalidPodTemplate", "DeploymentAccepted"]);
    }

    [Fact]
    public async Task A_value_that_somebody_puts_into_the_pods_and_that_no_pod_may_have()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var policy = await PolicyWebhook.Start(cluster, space.Name, "", "pods");
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        policy.Changes("""[{"op":"add","path":"/spec/hostname","value":"Not A Name"}]""");
        await space.Create(Neds.Valid());
        Message(await Unhealthy(space, "InvalidPodTemplate", reconciler), "EnclavesHealthy").ShouldContain(" spec.template.hostname: Invalid value");
    }

    [Fact]
    public async Task A_value_that_no_Deployment_may_have()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var reconciler = await ReconcilerProcess.Start(space.Name);
        var ned = Neds.Valid();
        ned["spec"]!["strategy"] = new JsonObject { ["rollingUpdate"] = new JsonObject { ["maxSurge"] = 0, ["maxUnavailable"] = 0 } };
        await space.Create(ned);
        var live = await space.Reconciled(NedStatusWords.Error, explain: () => reconciler.Log);
        live.ConditionText("Scheduled").ShouldBe("False InvalidSpec");
        Message(live, "Scheduled").ShouldContain("spec.strategy.rollingUpdate");
    }

    private static string Message(JsonObject ned, string condition) => (string)ned.Condition(condition)["message"]!;

    private static Task<JsonObject> Unhealthy(TestNamespace space, string reason, ReconcilerProcess reconciler) =>
        Wait.For($"EnclavesHealthy is False for {reason}", async () =>
            await space.Ned() is var ned && ned["status"] is not null && ned.ConditionText("EnclavesHealthy") == $"False {reason}" ? ned : null,
            explain: () => reconciler.Log);

    // Pods there are; that they find no node is all that is left of it.
    private static Task Mended(TestNamespace space, ReconcilerProcess reconciler) =>
        Wait.Until("the pods only wait for a node", async () =>
            await space.Ned() is var ned && ned["status"] is not null && Neds.WithoutNode.Contains((string?)ned.Condition("EnclavesHealthy")["reason"]),
            explain: () => reconciler.Log);

    private async Task Quota(TestNamespace space, string resource)
    {
        await cluster.Client.CoreV1.CreateNamespacedResourceQuotaAsync(new V1ResourceQuota
        {
            Metadata = new V1ObjectMeta { Name = "tight" },
            Spec = new V1ResourceQuotaSpec { Hard = new Dictionary<string, ResourceQuantity> { [resource] = new("0") } },
        }, space.Name);
        // Until its controller has counted, it holds nobody up.
        await Wait.Until("the quota has been counted", async () =>
            (await cluster.Client.CoreV1.ReadNamespacedResourceQuotaAsync("tight", space.Name)).Status?.Hard?.ContainsKey(resource) == true);
    }

    private async Task DeleteQuota(TestNamespace space) => await cluster.Client.CoreV1.DeleteNamespacedResourceQuotaAsync("tight", space.Name);

    private async Task LimitPods(TestNamespace space, string resource, string least) => await cluster.Client.CoreV1.CreateNamespacedLimitRangeAsync(new V1LimitRange
    {
        Metadata = new V1ObjectMeta { Name = "large" },
        Spec = new V1LimitRangeSpec { Limits = [new V1LimitRangeItem { Type = "Pod", Min = new Dictionary<string, ResourceQuantity> { [resource] = new(least) } }] },
    }, space.Name);

    // What the chart's ClusterRole for the reconciler says, in one namespace, but for one resource.
    private async Task Allow(TestNamespace space, string user, string resource, params string[] verbs)
    {
        static V1PolicyRule Rule(string group, string resource, params string[] verbs) => new() { ApiGroups = [group], Resources = [resource], Verbs = verbs };
        string[] all = ["get", "list", "watch", "create", "patch", "delete"];
        var role = new V1Role
        {
            Metadata = new V1ObjectMeta { Name = user },
            Rules =
            [
                Rule(NedNames.Group, NedNames.Plural, "get", "list", "watch"), Rule(NedNames.Group, $"{NedNames.Plural}/status", "patch"),
                Rule(NedNames.Group, $"{NedNames.Plural}/finalizers", "update"), Rule("apps", "deployments", all), Rule("apps", "replicasets", "list", "watch"),
                Rule("", "configmaps", all), Rule("", "pods", "list", "watch"), Rule("", "events", "list", "create", "patch"),
                Rule("", resource, verbs),
            ],
        };
        var roles = cluster.Client.RbacAuthorizationV1;
        if ((await roles.ListNamespacedRoleAsync(space.Name)).Items.Any(item => item.Name() == user))
        {
            await roles.ReplaceNamespacedRoleAsync(role, user, space.Name);
            return;
        }

        await roles.CreateNamespacedRoleAsync(role, space.Name);
        await roles.CreateNamespacedRoleBindingAsync(new V1RoleBinding
        {
            Metadata = new V1ObjectMeta { Name = user },
            RoleRef = new V1RoleRef { ApiGroup = "rbac.authorization.k8s.io", Kind = "Role", Name = user },
            Subjects = [new Rbacv1Subject { ApiGroup = "rbac.authorization.k8s.io", Kind = "User", Name = user }],
        }, space.Name);
    }
}
