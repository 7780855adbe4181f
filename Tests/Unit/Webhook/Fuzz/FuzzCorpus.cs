using System.Text;
using Enclaves.Webhook.Injection;
using Enclaves.Webhook.Serving;
using Enclaves.Webhook.Validation;

namespace Enclaves.Tests.Unit.Webhook.Fuzz;

/// <summary>Reviews to start from: for each of the three endpoints what it changes, refuses, lets through and is not asked about.</summary>
internal static class FuzzCorpus
{
    private const string Ned = """
        {"apiVersion":"k8s.oblv.com/v1alpha1","kind":"NitroEnclaveDeployment","metadata":{"name":"demo","namespace":"team","generation":1,
        "labels":{"a/b~c":"d"},"annotations":{"x":"é€😀"}},"spec":{"replicas":2,"enclave":{"cpuCount":2,"memory":"8Gi","hugepageSize":null,
        "registries":["cdn.example:443"],"debugMode":true},"userPlugins":[{"name":"a","image":"registry.example/a:1","imagePullSecret":"pull",
        "command":["/a"],"args":["-v"],"env":[{"name":"A.b-c","value":"1"},{"name":"B"}],"ports":[{"name":"web","containerPort":8080,"hostPort":80},
        {"containerPort":9000}],"outboundConnections":[{"fqdn":"x.example","port":443,"type":"default"},{"fqdn":"192.0.2.1","port":5432}],
        "restartPolicy":"OnFailure"},{"name":"b","image":"b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}],
        "restartPolicy":"Always","service":{"type":"ClusterIP","annotations":{"s":"t"},"labels":{"u":"v"}},
        "template":{"metadata":{"labels":{"app":"demo"},"annotations":{}},"nodeSelector":{"zone":"a"},"tolerations":[{"key":"k","operator":"Exists"}],
        "affinity":{"nodeAffinity":{}},"priorityClassName":"high","terminationGracePeriodSeconds":60},"strategy":{"type":"RollingUpdate",
        "rollingUpdate":{"maxSurge":0,"maxUnavailable":"25%"}},"minReadySeconds":5,"progressDeadlineSeconds":600,"revisionHistoryLimit":3,
        "paused":false,"newer":{"x":[{"y":null}]}},"status":{"replicas":1}}
        """;

    private const string Small = """{"metadata":{"generateName":"demo-"},"spec":{"enclave":{"memory":1073741824},"userPlugins":[{"name":"a","image":"b"}]}}""";

    private const string Pod = """
        {"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"demo-5c4d-","labels":{"k8s.oblv.com/inject":"true"},"annotations":{
        "k8s.oblv.com/enclave":"{\"cpuCount\":2,\"memoryMiB\":1024,\"hugepageSize\":\"2Mi\",\"ports\":[20000],\"pullSecrets\":[\"pull\"],\"debugMode\":false}",
        "k8s.oblv.com/manifest":"demo-manifest-0123456789","k8s.oblv.com/manifest-digest":"DIGEST"}},"spec":{"terminationGracePeriodSeconds":30,
        "automountServiceAccountToken":false,"hostNetwork":false,"nodeSelector":{"zone":"a"},"securityContext":{"supplementalGroups":[1000]},
        "volumes":[{"name":"mine","emptyDir":{}},{"name":"enclave-secrets","projected":{"sources":[{"secret":{"name":"other","items":[{"key":"k","path":"p"}]}}]}}],
        "containers":[{"name":"mesh","image":"mesh:1"},{"name":"enclave-host","image":"auto","env":[{"name":"MINE","value":"1"}],
        "ports":[{"containerPort":9090,"name":"x"}],"resources":{"limits":{"memory":"1Gi"}},"volumeMounts":[{"name":"mine","mountPath":"/mine"}],
        "securityContext":{"runAsUser":0,"capabilities":{"drop":["NET_RAW"]}},"livenessProbe":{"httpGet":{"path":"/x","port":1}}}]}}
        """;

    private static readonly PodInjection Injection = new(
        new InjectionOptions { EnclaveHostImage = "registry.example/enclave-host:1", DeviceGroup = 7, AllowDestinations = "192.0.2.0/24" }, "1.2.3");

    /// <summary>Every start, with the endpoint that it is sent to.</summary>
    public static IReadOnlyList<(AdmissionPoint Point, byte[] Review)> Reviews { get; } =
    [
        .. Neds(AdmissionPoint.MutateNed),
        .. Neds(AdmissionPoint.ValidateNed(new ImagePolicy())),
        .. Pods(AdmissionPoint.MutatePod(Injection)),
    ];

    private static IEnumerable<(AdmissionPoint Point, byte[] Review)> Neds(AdmissionPoint point)
    {
        yield return (point, Review(point, "CREATE", Ned, "null"));
        yield return (point, Review(point, "CREATE", Small, "null"));
        // An old object that is invalid, so that its errors are compared with the new one's.
        yield return (point, Review(point, "UPDATE", Ned, Ned.Replace("\"cpuCount\":2", "\"cpuCount\":3", StringComparison.Ordinal)));
        yield return (point, Review(point, "UPDATE", Ned.Replace("x.example", "*.example", StringComparison.Ordinal), Small));
        yield return (point, Review(point, "DELETE", "null", Ned));
    }

    private static IEnumerable<(AdmissionPoint Point, byte[] Review)> Pods(AdmissionPoint point)
    {
        var pod = Pod.Replace("DIGEST", "0123456789" + new string('a', 86), StringComparison.Ordinal);
        yield return (point, Review(point, "CREATE", pod, "null"));
        yield return (point, Review(point, "CREATE", pod.Replace("demo-manifest", "other", StringComparison.Ordinal), "null"));
        yield return (point, Review(point, "CONNECT", """{"apiVersion":"v1","kind":"PodExecOptions"}""", "null"));
        yield return (point, Review(point, "CREATE", """{"metadata":{},"spec":{"containers":[{"name":"a"}]}}""", "null"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Corpus"), "pod-*.json").Order(StringComparer.Ordinal))
            yield return (point, Review(point, "CREATE", File.ReadAllText(file), "null"));
    }

    private static byte[] Review(AdmissionPoint point, string operation, string value, string old)
    {
        var kind = $$"""{"group":"{{point.Kind.Group}}","version":"{{point.Kind.Version}}","kind":"{{point.Kind.Kind}}"}""";
        var review = $$$"""
            {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","kind":{{{kind}}},"requestKind":{{{kind}}},
            "subResource":"","name":"demo","namespace":"team","operation":"{{{operation}}}","userInfo":{"username":"jane","groups":["a"]},
            "object":{{{value}}},"oldObject":{{{old}}},"dryRun":true,"options":{"kind":"CreateOptions"}
            }}
            """;
        return Encoding.UTF8.GetBytes(review.ReplaceLineEndings(""));
    }
}
