using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Serving;

/// <summary>
/// Reviews that the program sends to itself. They are known by their uid, which is drawn at start and told to nobody, so that nobody else's
/// review can pass for one and go uncounted.
/// </summary>
internal sealed class SelfReviews
{
    private const string Ned = """
        {"apiVersion":"k8s.oblv.com/v1alpha1","kind":"NitroEnclaveDeployment","metadata":{"name":"self-check","namespace":"self-check"},
        "spec":{"replicas":1,"restartPolicy":"Always","template":{"nodeSelector":{"zone":"a"}},"enclave":{"cpuCount":2,"memory":"1Gi","registries":["registry.example"]},"userPlugins":[{"name":"app",
        "image":"registry.example/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","imagePullSecret":"pull",
        "env":[{"name":"A","value":"1"}],"ports":[{"containerPort":8080,"hostPort":80}],"outboundConnections":[{"fqdn":"db.example","port":5432}]},
        {"name":"sidecar","image":"registry.example/sidecar@sha256:89abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567",
        "command":["/sidecar"],"args":["-v"],"ports":[{"containerPort":9000}],"restartPolicy":"OnFailure"}]}}
        """;

    /// <summary>The uid of all of them.</summary>
    public string Uid { get; } = Guid.NewGuid().ToString();

    /// <summary>A review for a point: a valid object of its kind.</summary>
    public byte[] For(AdmissionPoint point)
    {
        var subject = point.Kind.Kind == "Pod" ? Pod() : JsonNode.Parse(Ned);
        return JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["apiVersion"] = AdmissionReviewReader.ApiVersion,
            ["kind"] = AdmissionReviewReader.Kind,
            ["request"] = new JsonObject
            {
                ["uid"] = Uid,
                ["kind"] = new JsonObject { ["group"] = point.Kind.Group, ["version"] = point.Kind.Version, ["kind"] = point.Kind.Kind },
                ["operation"] = "CREATE",
                ["namespace"] = "self-check",
                ["dryRun"] = true,
                ["object"] = subject,
            },
        });
    }

    // As the Reconciler makes it of the NED.
    private static JsonObject Pod() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject
        {
            ["generateName"] = "self-check-",
            ["labels"] = new JsonObject { [NedLabels.Inject] = NedLabels.InjectValue },
            ["annotations"] = new JsonObject
            {
                [NedAnnotations.Enclave] = EnclaveSettings.Of(JsonNode.Parse(Ned)!["spec"].Deserialize<NitroEnclaveDeploymentSpec>()!).ToJson(),
                [NedAnnotations.Manifest] = NedNames.ManifestConfigMap("self-check", new string('0', NedNames.DigestDigits)),
                [NedAnnotations.ManifestDigest] = new string('0', 96),
            },
        },
        ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = NedNames.HostContainer, ["image"] = NedNames.AutoImage }) },
    };
}
