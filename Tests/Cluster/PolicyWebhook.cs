using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Http;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// Somebody's admission webhook for the creation of one kind of object in one namespace: it denies, changes, or does not answer at all, as a
/// test asks for.
/// </summary>
internal sealed class PolicyWebhook : IAsyncDisposable
{
    private const string Label = "k8s.oblv.com/test-policy";

    private readonly Kubernetes _client;
    private readonly string _space;
    private HostServer? _server;
    private JsonObject _answer = new() { ["allowed"] = true };

    private PolicyWebhook(Kubernetes client, string space) => (_client, _space) = (client, space);

    /// <summary>Its name in messages of the API server.</summary>
    public static string Name => "policy.test.k8s.oblv.com";

    /// <summary>Registers it and waits until the API server asks it.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="space">The namespace.</param>
    /// <param name="group">API group of what it is asked about.</param>
    /// <param name="resource">Plural of what it is asked about.</param>
    public static async Task<PolicyWebhook> Start(ClusterFixture cluster, string space, string group, string resource)
    {
        var webhook = new PolicyWebhook(cluster.Client, space);
        try
        {
            await webhook.Serve(group, resource);
            return webhook;
        }
        catch
        {
            await webhook.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on it denies with this message.</summary>
    public void Denies(string message) =>
        _answer = new() { ["allowed"] = false, ["status"] = new JsonObject { ["code"] = 403, ["message"] = message } };

    /// <summary>From now on it changes what it is asked about by this JSON patch.</summary>
    public void Changes(string patch) =>
        _answer = new() { ["allowed"] = true, ["patchType"] = "JSONPatch", ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(patch)) };

    /// <summary>From now on nobody is there.</summary>
    public async Task Ends()
    {
        await _server!.DisposeAsync();
        _server = null;
    }

    /// <summary>From now on the API server does not ask it.</summary>
    public async Task Unregister()
    {
        if ((await _client.AdmissionregistrationV1.ListMutatingWebhookConfigurationAsync()).Items.Any(item => item.Name() == _space))
            await _client.AdmissionregistrationV1.DeleteMutatingWebhookConfigurationAsync(_space);
    }

    public async ValueTask DisposeAsync()
    {
        await Unregister();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private async Task Serve(string group, string resource)
    {
        _server = await HostServer.Start(Answer);
        await Register(group, resource, new Uri($"https://{DevelopmentCluster.HostAddress}:{_server.Port}/"), _server.Authority);
    }

    private async Task Register(string group, string resource, Uri address, byte[] authority)
    {
        // Servers before 1.21 put no label with its name on a namespace.
        await _client.CoreV1.PatchNamespaceAsync(
            new V1Patch(new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [Label] = _space } } }.ToJsonString(), V1Patch.PatchType.MergePatch), _space);
        await _client.AdmissionregistrationV1.CreateMutatingWebhookConfigurationAsync(new V1MutatingWebhookConfiguration
        {
            Metadata = new V1ObjectMeta { Name = _space },
            Webhooks =
            [
                new V1MutatingWebhook
                {
                    Name = Name,
                    ClientConfig = new Admissionregistrationv1WebhookClientConfig { Url = address.ToString(), CaBundle = authority },
                    // Of a LimitRange only to tell that it is asked at all.
                    Rules = [Rule(group, resource), Rule("", "limitranges")],
                    NamespaceSelector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { [Label] = _space } },
                    FailurePolicy = "Fail",
                    SideEffects = "None",
                    TimeoutSeconds = 30,
                    AdmissionReviewVersions = ["v1"],
                },
            ],
        });
        // An API server takes a moment to learn of a webhook, and lets everything pass until then.
        Denies("not yet");
        await Wait.Until("the API server asks the webhook", async () =>
        {
            try
            {
                await _client.CoreV1.CreateNamespacedLimitRangeAsync(
                    new V1LimitRange { Metadata = new V1ObjectMeta { Name = "probe" }, Spec = new V1LimitRangeSpec { Limits = [] } }, _space, dryRun: "All");
                return false;
            }
            catch (k8s.Autorest.HttpOperationException refused) when (refused.Response.Content.Contains("not yet", StringComparison.Ordinal))
            {
                return true;
            }
        });
        _answer = new() { ["allowed"] = true };
    }

    private static V1RuleWithOperations Rule(string group, string resource) =>
        new() { ApiGroups = [group], ApiVersions = ["v1"], Resources = [resource], Operations = ["CREATE"], Scope = "Namespaced" };

    private async Task Answer(HttpContext context)
    {
        var review = (await JsonNode.ParseAsync(context.Request.Body))!;
        var response = _answer.DeepClone().AsObject();
        response["uid"] = (string?)review["request"]!["uid"];
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(new JsonObject
        {
            ["apiVersion"] = "admission.k8s.io/v1",
            ["kind"] = "AdmissionReview",
            ["response"] = response,
        }.ToJsonString());
    }
}
