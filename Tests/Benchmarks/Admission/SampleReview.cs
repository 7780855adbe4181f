using System.Text;

namespace Enclaves.Tests.Benchmarks.Admission;

/// <summary>
/// The review that is measured with, as an API server sends it for <c>kubectl apply --server-side</c>: a NED of 2.3 KB with two plugins,
/// as it is after the schema's defaults, managed fields included. It is valid, lacks what the mutation fills, and gives no warning.
/// </summary>
internal static class SampleReview
{
    private const string Uid = "705ab4f5-6393-11e8-b7cc-42010a800002";

    private const string Ned = """
        {"apiVersion":"k8s.oblv.com/v1alpha1","kind":"NitroEnclaveDeployment","metadata":{"name":"checkout","namespace":"payments",
        "uid":"3f0c7b1e-8a52-4a39-9a54-0d7b2c1f6e11","generation":1,"creationTimestamp":"2026-03-02T09:41:07Z",
        "labels":{"app":"checkout","team":"payments"},"annotations":{"example.com/owner":"payments@example.com"},
        "managedFields":[{"manager":"kubectl","operation":"Apply","apiVersion":"k8s.oblv.com/v1alpha1","time":"2026-03-02T09:41:07Z",
        "fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:annotations":{"f:example.com/owner":{}},"f:labels":{"f:app":{},"f:team":{}}},
        "f:spec":{"f:enclave":{"f:cpuCount":{},"f:memory":{}},"f:replicas":{},"f:userPlugins":{"k:{\"name\":\"api\"}":{".":{},"f:env":{},
        "f:image":{},"f:imagePullSecret":{},"f:name":{},"f:outboundConnections":{},"f:ports":{}},"k:{\"name\":\"signer\"}":{".":{},
        "f:args":{},"f:command":{},"f:image":{},"f:name":{}}}}}}]},"spec":{"replicas":3,
        "enclave":{"cpuCount":4,"memory":"6Gi","debugMode":false,"registries":["cdn.registry.example"]},"userPlugins":[
        {"name":"api","image":"registry.example/payments/checkout-api:4.2.1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "imagePullSecret":"registry-credentials","env":[{"name":"LOG_LEVEL","value":"info"},{"name":"DATABASE","value":"orders"},
        {"name":"SIGNER","value":"http://127.0.0.1:9000"},{"name":"CURRENCIES","value":"CHF,EUR,GBP,USD"},
        {"name":"OTEL_EXPORTER_OTLP_ENDPOINT","value":"https://collector.observability.example:4317"},
        {"name":"OTEL_RESOURCE_ATTRIBUTES","value":"service.name=checkout,service.namespace=payments"}],
        "ports":[{"name":"https","containerPort":8443,"hostPort":443},{"name":"metrics","containerPort":9090,"hostPort":9090}],
        "outboundConnections":[{"fqdn":"orders.db.example","port":5432,"type":"default"},{"fqdn":"kms.eu-central-1.example","port":4443}]},
        {"name":"signer","image":"registry.example/payments/signer:1.9.0@sha256:89abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567",
        "command":["/signer"],"args":["--listen=127.0.0.1:9000","--rotate=24h"],"ports":[{"containerPort":9000}],"restartPolicy":"Always"}],
        "restartPolicy":"Always","minReadySeconds":5,"progressDeadlineSeconds":600,"revisionHistoryLimit":10,"paused":false,
        "template":{"nodeSelector":{"zone":"a"},"priorityClassName":"business-critical"}}}
        """;

    private const string Request = """
        {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"UID","kind":{"group":"k8s.oblv.com","version":"v1alpha1",
        "kind":"NitroEnclaveDeployment"},"resource":{"group":"k8s.oblv.com","version":"v1alpha1","resource":"nitroenclavedeployments"},
        "requestKind":{"group":"k8s.oblv.com","version":"v1alpha1","kind":"NitroEnclaveDeployment"},"requestResource":{"group":"k8s.oblv.com",
        "version":"v1alpha1","resource":"nitroenclavedeployments"},"name":"checkout","namespace":"payments","operation":"CREATE",
        "userInfo":{"username":"jane","groups":["system:authenticated"]},"object":NED,"oldObject":null,"dryRun":false,
        "options":{"kind":"PatchOptions","apiVersion":"meta.k8s.io/v1","force":true,"fieldManager":"kubectl"}}}
        """;

    /// <summary>The body of the review.</summary>
    public static byte[] Body { get; } = Bytes(Request.Replace("UID", Uid, StringComparison.Ordinal).Replace("NED", Ned, StringComparison.Ordinal));

    /// <summary>Bytes of the NED in it.</summary>
    public static int NedBytes { get; } = Bytes(Ned).Length;

    /// <summary>What an endpoint answers that allows everything.</summary>
    public static byte[] Allowed { get; } =
        Bytes($$$"""{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"{{{Uid}}}","allowed":true}}""");

    // An API server sends no line breaks.
    private static byte[] Bytes(string json) => Encoding.UTF8.GetBytes(json.ReplaceLineEndings(""));
}
