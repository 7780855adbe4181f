using System.Globalization;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Http;

namespace Enclaves.Tests.Cluster;

/// <summary>
/// One of the APIs that autoscalers measure by, behind the API server's aggregation layer as a metrics server or an adapter is: it says what a
/// test sets. It is of the whole cluster, so only one test has it at a time.
/// </summary>
internal sealed class MetricsApi : IAsyncDisposable
{
    /// <summary>CPU and memory of pods, as a metrics server measures them.</summary>
    public const string Resource = "metrics.k8s.io";

    /// <summary>Metrics of pods and other objects, as an adapter has them from Prometheus.</summary>
    public const string Custom = "custom.metrics.k8s.io";

    /// <summary>Metrics of things outside of the cluster.</summary>
    public const string External = "external.metrics.k8s.io";

    private const string Version = "v1beta1";

    // An API server looks twice a minute whether one that is registered answers.
    private static readonly TimeSpan Taken = TimeSpan.FromMinutes(2);

    private readonly Kubernetes _client;
    private readonly TestNamespace _space;
    private readonly string _group;
    private HostServer? _server;
    private bool _isRegistered;

    private MetricsApi(Kubernetes client, TestNamespace space, string group) => (_client, _space, _group) = (client, space, group);

    /// <summary>What each ready pod uses of the CPU that it requests; 1 is all of it.</summary>
    public double CpuShare { get; set; }

    /// <summary>Value of every metric that is no CPU: of each ready pod, or of the one thing outside.</summary>
    public int Value { get; set; }

    /// <summary>The metric that was asked for last, with its selector.</summary>
    public string? Asked { get; private set; }

    private string Name => $"{Version}.{_group}";

    /// <summary>Serves an API, and waits until the API server passes requests on.</summary>
    public static async Task<MetricsApi> Start(ClusterFixture cluster, TestNamespace space, string group)
    {
        var metrics = new MetricsApi(cluster.Client, space, group);
        try
        {
            metrics._server = await HostServer.Start(metrics.Answer, $"metrics.{space.Name}.svc");
            await metrics.Register();
            return metrics;
        }
        catch
        {
            await metrics.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        // In this order: an API that is registered and does not answer holds up the end of every namespace.
        if (_isRegistered)
            await _client.ApiregistrationV1.DeleteAPIServiceAsync(Name);
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private async Task Register()
    {
        // A Service that is only a name for this machine: no proxy of the node is needed on the way.
        await _client.CoreV1.CreateNamespacedServiceAsync(new V1Service
        {
            Metadata = new V1ObjectMeta { Name = "metrics" },
            Spec = new V1ServiceSpec { Type = "ExternalName", ExternalName = DevelopmentCluster.HostAddress },
        }, _space.Name);
        if (_group == External)
            await LetTheControllerAsk();
        await Wait.Until($"{Name} is nobody else's", IsFree, Taken);
        await _client.ApiregistrationV1.CreateAPIServiceAsync(new V1APIService
        {
            Metadata = new V1ObjectMeta { Name = Name },
            Spec = new V1APIServiceSpec
            {
                Group = _group,
                Version = Version,
                GroupPriorityMinimum = 100,
                VersionPriority = 100,
                CaBundle = _server!.Authority,
                Service = new Apiregistrationv1ServiceReference { NamespaceProperty = _space.Name, Name = "metrics", Port = _server.Port },
            },
        });
        _isRegistered = true;
        await Wait.Until($"the API server passes on what is asked of {_group}",
            async () => IsAvailable(await _client.ApiregistrationV1.ReadAPIServiceAsync(Name)));
    }

    // The right that an adapter of external metrics brings along; to ask for the others the controller is allowed by itself.
    private async Task LetTheControllerAsk()
    {
        await _client.RbacAuthorizationV1.CreateNamespacedRoleAsync(new V1Role
        {
            Metadata = new V1ObjectMeta { Name = "metrics" },
            Rules = [new V1PolicyRule { ApiGroups = [External], Resources = ["*"], Verbs = ["get", "list"] }],
        }, _space.Name);
        await _client.RbacAuthorizationV1.CreateNamespacedRoleBindingAsync(new V1RoleBinding
        {
            Metadata = new V1ObjectMeta { Name = "metrics" },
            RoleRef = new V1RoleRef { ApiGroup = "rbac.authorization.k8s.io", Kind = "Role", Name = "metrics" },
            Subjects = [new Rbacv1Subject { Kind = "ServiceAccount", Name = "horizontal-pod-autoscaler", NamespaceProperty = "kube-system" }],
        }, _space.Name);
    }

    // What another run has left behind when it was killed does not answer, and is taken away.
    private async Task<bool> IsFree()
    {
        var found = (await _client.ApiregistrationV1.ListAPIServiceAsync()).Items.SingleOrDefault(api => api.Name() == Name);
        if (found is not null && !IsAvailable(found))
            await _client.ApiregistrationV1.DeleteAPIServiceAsync(Name);
        return found is null;
    }

    private static bool IsAvailable(V1APIService api) => api.Status?.Conditions?.Any(one => one is { Type: "Available", Status: "True" }) == true;

    private async Task Answer(HttpContext context)
    {
        var selector = (string?)context.Request.Query["labelSelector"];
        var reply = context.Request.Path.Value!.Trim('/').Split('/') switch
        {
            ["apis", _, Version] => Discovery(),
            ["apis", Resource, Version, "namespaces", _, "pods"] => List("PodMetricsList", (await ReadyPods(selector)).Select(PodMetrics)),
            ["apis", Custom, Version, "namespaces", _, "pods", "*", var metric] =>
                List("MetricValueList", (await ReadyPods(selector)).Select(pod => PodMetric(pod, metric))),
            ["apis", External, Version, "namespaces", _, var metric] => List("ExternalMetricValueList", [ExternalMetric(metric, selector)]),
            _ => null,
        };
        if (reply is null)
        {
            // What else API servers ask, such as for an OpenAPI document.
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(reply.ToJsonString(), context.RequestAborted);
    }

    private JsonObject Discovery() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "APIResourceList",
        ["groupVersion"] = $"{_group}/{Version}",
        ["resources"] = new JsonArray(new JsonObject
        {
            ["name"] = "pods",
            ["singularName"] = "",
            ["namespaced"] = true,
            ["kind"] = "PodMetrics",
            ["verbs"] = new JsonArray("get", "list"),
        }),
    };

    // Nobody measures a pod that does not run.
    private async Task<IEnumerable<V1Pod>> ReadyPods(string? selector) =>
        (await _client.CoreV1.ListNamespacedPodAsync(_space.Name, labelSelector: selector)).Items
            .Where(pod => pod.Status.Conditions?.Any(one => one is { Type: "Ready", Status: "True" }) == true);

    private JsonObject PodMetrics(V1Pod pod) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = pod.Name(), ["namespace"] = _space.Name },
        ["timestamp"] = Now(),
        ["window"] = "1s",
        ["containers"] = new JsonArray([.. pod.Spec.Containers.Select(container => new JsonObject
        {
            ["name"] = container.Name,
            ["usage"] = new JsonObject { ["cpu"] = $"{(long)(CpuShare * 1000 * container.Resources.Requests["cpu"].ToDouble())}m", ["memory"] = "64Mi" },
        })]),
    };

    private JsonObject PodMetric(V1Pod pod, string metric)
    {
        Asked = metric;
        return new JsonObject
        {
            ["describedObject"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod.Name(), ["namespace"] = _space.Name },
            ["metricName"] = metric,
            ["timestamp"] = Now(),
            ["value"] = Value.ToString(CultureInfo.InvariantCulture),
        };
    }

    private JsonObject ExternalMetric(string metric, string? selector)
    {
        Asked = $"{metric} {selector}".TrimEnd();
        return new JsonObject
        {
            ["metricName"] = metric,
            ["metricLabels"] = new JsonObject(),
            ["timestamp"] = Now(),
            ["value"] = Value.ToString(CultureInfo.InvariantCulture),
        };
    }

    private JsonObject List(string kind, IEnumerable<JsonObject> items) => new()
    {
        ["apiVersion"] = $"{_group}/{Version}",
        ["kind"] = kind,
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. items]),
    };

    private static string Now() => DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
