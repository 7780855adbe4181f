using System.Net;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Status;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

/// <summary>By the words of API servers from 1.20 to 1.36.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("""pods "hello-6c9f-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0""", "QuotaExceeded", "raise the ResourceQuota")]
    [InlineData("""pods "hello-6c9f-x" is forbidden: failed quota: q: must specify limits.cpu""", "QuotaExceeded", "must specify limits.cpu")]
    [InlineData("""pods "hello-6c9f-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)""", "PodsForbidden", "pod-security.kubernetes.io/enforce")]
    [InlineData("""pods "hello-6c9f-" is forbidden: unable to validate against any pod security policy: []""", "PodsForbidden", "have the rule changed")]
    [InlineData("""pods "hello-6c9f-x" is forbidden: maximum memory usage per Container is 1Mi, but limit is 1Gi""", "PodsForbidden", "maximum memory usage per Container is 1Mi")]
    [InlineData("""admission webhook "policy.example" denied the request: images must be signed""", "PodsForbidden", "images must be signed")]
    [InlineData("""pods "hello-6c9f-x" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no""", "PodsForbidden", "denied request: no")]
    [InlineData("""pods "hello-6c9f-" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found""", "ServiceAccountMissing", "spec.template.serviceAccountName")]
    [InlineData("""pods "hello-6c9f-" is forbidden: no PriorityClass with name high was found""", "InvalidPodTemplate", "correct spec.template.priorityClassName")]
    [InlineData("""Pod "hello-6c9f-x" is invalid: spec.tolerations[0].operator: Unsupported value: "Foo": supported values: "Equal", "Exists".""", "InvalidPodTemplate", ": spec.template.tolerations[0].operator: Unsupported")]
    [InlineData("""Pod "x" is invalid: [metadata.labels: Invalid value: "a b": x, spec.affinity: Required value, spec.containers[0].resources.requests: Invalid value: "2Gi"]""", "InvalidPodTemplate",
        """[spec.template.metadata.labels: Invalid value: "a b": x, spec.template.affinity: Required value, spec.containers[0].resources.requests:""")]
    [InlineData("""Internal error occurred: failed calling webhook "inject.k8s.oblv.com": Post "https://x.y.svc:443/mutate-v1-pod?timeout=5s": dial tcp 10.0.0.1:443: connect: connection refused""", "WebhookUnavailable", "the webhook inject.k8s.oblv.com does not answer")]
    [InlineData("""Internal error occurred: failed calling webhook "inject.k8s.oblv.com": failed to call webhook: Post "https://x.y.svc:443/mutate-v1-pod?timeout=5s": no endpoints available for service "x".""", "WebhookUnavailable", "the webhook inject.k8s.oblv.com does not answer")]
    [InlineData("the moon is full.", "PodsNotCreated", "the moon is full; mend")]
    public void Pods_that_are_refused(string message, string reason, string says)
    {
        var trouble = Refusal.OfPods("default", "hello", message);
        trouble.Reason.ShouldBe(reason);
        trouble.Message.ShouldContain(says);
        trouble.Message.ShouldContain("Deployment default/hello");
        trouble.Message.ShouldEndWith(".");
    }

    [Theory]
    [InlineData(403, """configmaps "hello-manifest-0" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1""", "QuotaExceeded", true, "raise the quota")]
    [InlineData(403, """services is forbidden: User "system:serviceaccount:enclaves-system:enclaves-reconciler" cannot create resource "services" in API group "" in the namespace "default".""", "Forbidden", true,
        "give system:serviceaccount:enclaves-system:enclaves-reconciler that right")]
    [InlineData(403, """deployments.apps "hello" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>""", "Forbidden", true, "nitroenclavedeployments/finalizers")]
    [InlineData(400, """admission webhook "policy.example" denied the request: no team label""", "AdmissionDenied", true, "no team label")]
    [InlineData(422, """deployments.apps "hello" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no""", "AdmissionDenied", true, "denied request: no")]
    [InlineData(422, """Deployment.apps "hello" is invalid: spec.template.spec.tolerations[0].operator: Unsupported value: "Foo".""", "InvalidPodTemplate", true, " spec.template.tolerations[0].operator: Unsupported")]
    [InlineData(500, """failed to create typed patch object: .spec.template.spec.tolerations: expected list, got &{map[]}""", "InvalidPodTemplate", true, " spec.template.tolerations: expected list")]
    [InlineData(500, """failed to create typed patch object (default/hello; apps/v1, Kind=Deployment): .spec.template.spec.affinity.x: field not declared in schema""", "InvalidPodTemplate", true, " spec.template.affinity.x: field")]
    [InlineData(422, """Deployment.apps "hello" is invalid: spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0""", "InvalidSpec", true, "may not be 0")]
    [InlineData(500, """Internal error occurred: failed calling webhook "policy.example": Post "https://x": context deadline exceeded""", "WebhookUnavailable", false, "policy.example")]
    public async Task A_child_that_is_refused(int code, string message, string reason, bool needsHelp, string says)
    {
        var problem = Refusal.OfChild(await Refused(code, message)).ShouldNotBeNull();
        problem.Reason.ShouldBe(reason);
        problem.NeedsHelp.ShouldBe(needsHelp);
        problem.Message.ShouldContain(says);
        problem.Message.ShouldContain("applying Deployment default/hello");
        problem.Message.ShouldEndWith(".");
    }

    [Theory]
    [InlineData(409, "the object has been modified")]
    [InlineData(500, "etcdserver: request timed out")]
    [InlineData(422, """ConfigMap "x" is invalid: data: Forbidden: field is immutable when `immutable` is set""")]
    public async Task What_is_not_known_is_left_to_others(int code, string message) => Refusal.OfChild(await Refused(code, message)).ShouldBeNull();

    private static async Task<ApiException> Refused(int code, string message)
    {
        using var reply = new HttpResponseMessage((HttpStatusCode)code)
        {
            Content = new StringContent(new JsonObject { ["kind"] = "Status", ["reason"] = "Whatever", ["message"] = message }.ToJsonString()),
        };
        return await ApiException.FromAsync("applying Deployment default/hello", reply, TestContext.Current.CancellationToken);
    }
}
