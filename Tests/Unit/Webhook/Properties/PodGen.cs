using System.Text.Json;
using CsCheck;
using Enclaves.Api;

namespace Enclaves.Tests.Unit.Webhook.Properties;

/// <summary>Labelled pods that may be injected, with whatever else pods have: volumes, affinity, sidecars, init containers, fields of other versions.</summary>
internal static class PodGen
{
    private static readonly string Digest = "0123456789" + new string('a', 86);

    private static readonly Gen<string> Secrets = JsonGen.Of(
        "", ",\"secrets\":[{\"name\":\"a\",\"keys\":[\"k\",\"l\"]}]", ",\"secrets\":[{\"name\":\"pull\"},{\"name\":\"a\",\"keys\":[\"k\"],\"optional\":true},{\"name\":\"a\",\"keys\":[\"k\",\"m\"]}]",
        ",\"secrets\":[{\"name\":\"b\",\"optional\":true},{\"name\":\"b\"},{\"name\":\"b\",\"keys\":[\"k\"]},{\"name\":\"a\"}]");

    private static readonly Gen<string> Settings = Gen.Select(
        JsonGen.Of("\"memoryMiB\":1024,\"hugepageSize\":\"2Mi\"", "\"memoryMiB\":4096,\"hugepageSize\":\"1Gi\""), JsonGen.Of("", "20000", "20000,20001"), JsonGen.Of("", "\"pull\"", "\"pull\",\"a\""), Secrets,
        (size, ports, pulls, secrets) => JsonSerializer.Serialize($"{{\"cpuCount\":2,{size},\"ports\":[{ports}],\"pullSecrets\":[{pulls}]{secrets},\"debugMode\":false}}"));

    private static readonly Gen<string> Metadata = JsonGen.Full(
        ("labels", JsonGen.Full((NedLabels.Inject, JsonGen.Of("\"true\"")))),
        ("annotations", JsonGen.Full(
            (NedAnnotations.Enclave, Settings),
            (NedAnnotations.Manifest, JsonGen.Of("\"demo-manifest-0123456789\"")),
            (NedAnnotations.ManifestDigest, JsonGen.Of($"\"{Digest}\"")))),
        ("ownerReferences", JsonGen.Anything));

    private static readonly Gen<string> Expression = JsonGen.Of(
        "{\"key\":\"zone\",\"operator\":\"In\",\"values\":[\"a\"]}", "{\"key\":\"aws-nitro-enclaves-k8s-dp\",\"operator\":\"Exists\"}",
        "{\"key\":\"aws-nitro-enclaves-k8s-dp\",\"operator\":\"In\",\"values\":[\"enabled\"]}", "{\"key\":\"aws-nitro-enclaves-k8s-dp\",\"operator\":\"In\",\"values\":[\"enabled\",\"x\"]}");

    private static readonly Gen<string> Terms = JsonGen.ListOf(JsonGen.Object(("matchExpressions", JsonGen.ListOf(Expression).Mostly()), ("matchFields", JsonGen.ListOf(Expression))).Mostly()).Mostly();

    private static readonly Gen<string> Affinity = JsonGen.Object(
        ("nodeAffinity", JsonGen.Object(
            ("requiredDuringSchedulingIgnoredDuringExecution", JsonGen.Object(("nodeSelectorTerms", Terms)).Mostly()),
            ("preferredDuringSchedulingIgnoredDuringExecution", JsonGen.Anything)).Mostly()),
        ("podAntiAffinity", JsonGen.Anything));

    private static readonly Gen<string> Mount = JsonGen.Of("{\"name\":\"mine\",\"mountPath\":\"/mine\"}", "{\"name\":\"mine\",\"mountPath\":\"/run\",\"subPath\":\"x\"}");

    private static readonly Gen<string> Host = JsonGen.Full(("name", JsonGen.Of("\"enclave-host\"")), ("image", JsonGen.Of("\"auto\"", "\"registry.example/chosen:1\"")))
        .SelectMany(required => JsonGen.Object(
            ("env", JsonGen.ListOf(JsonGen.Of("{\"name\":\"MINE\",\"value\":\"1\"}", "{\"name\":\"SECRET\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"a\",\"key\":\"b\"}}}"))),
            ("envFrom", JsonGen.Anything),
            ("ports", JsonGen.ListOf(JsonGen.Of("{\"containerPort\":9000}", "{\"containerPort\":8080,\"name\":\"http\"}", "{\"containerPort\":53,\"protocol\":\"UDP\",\"name\":\"dns\"}"))),
            ("volumeMounts", JsonGen.ListOf(Mount)),
            ("resources", JsonGen.Object(("limits", JsonGen.Object(("memory", JsonGen.Of("\"1Gi\"")), ("example.com/x", JsonGen.Of("\"1\"")))), ("claims", JsonGen.Anything))),
            ("securityContext", JsonGen.Object(("runAsUser", JsonGen.Of("0")), ("capabilities", JsonGen.Object(("drop", JsonGen.Of("[]", "[\"NET_RAW\"]")))))),
            ("livenessProbe", JsonGen.Object(("httpGet", JsonGen.Of("{\"path\":\"/x\",\"port\":1}")), ("initialDelaySeconds", JsonGen.Of("7")))),
            ("lifecycle", JsonGen.Anything)).Select(more => more == "{}" ? required : $"{required[..^1]},{more[1..].Replace("\"newer\"", "\"newest\"", StringComparison.Ordinal)}"));

    private static readonly Gen<string> Sidecar = JsonGen.Full(
        ("name", JsonGen.Of("\"mesh\"", "\"logs\"")), ("image", JsonGen.Of("\"m:1\"")), ("env", JsonGen.Anything), ("volumeMounts", JsonGen.ListOf(Mount)),
        ("ports", JsonGen.ListOf(JsonGen.Of("{\"containerPort\":15090}", "{\"containerPort\":8080,\"protocol\":\"UDP\"}"))), ("securityContext", JsonGen.Of("{\"capabilities\":{\"add\":[\"NET_ADMIN\"]}}")));

    private static readonly Gen<string> Containers = Gen.Select(Sidecar.Array[0, 2], Host, Sidecar.Array[0, 2],
        (before, host, after) => $"[{string.Join(',', [.. before, host, .. after])}]");

    private static readonly Gen<string> Volume = JsonGen.Of("{\"name\":\"mine\",\"emptyDir\":{}}", "{\"name\":\"claim\",\"persistentVolumeClaim\":{\"claimName\":\"data-0\"}}", "{\"name\":\"csi\",\"csi\":{\"driver\":\"x\"}}");

    private static readonly Gen<string> Spec = Gen.Select(Containers, JsonGen.Object(
        ("volumes", JsonGen.ListOf(Volume)),
        ("initContainers", JsonGen.ListOf(Sidecar)),
        ("affinity", Affinity.Mostly()),
        ("nodeSelector", JsonGen.Of("{\"pool\":\"a\"}")),
        ("tolerations", JsonGen.Of("[{\"operator\":\"Exists\"}]")),
        ("topologySpreadConstraints", JsonGen.Anything),
        ("restartPolicy", JsonGen.Of("\"Never\"")),
        ("terminationGracePeriodSeconds", JsonGen.Of("0", "7", "30", "999999")),
        ("securityContext", JsonGen.Object(("fsGroup", JsonGen.Of("0", "1000")), ("supplementalGroups", JsonGen.Of("[7]", "[1000]", "[]")), ("runAsUser", JsonGen.Of("0")))),
        ("automountServiceAccountToken", JsonGen.Of("false")),
        ("hostAliases", JsonGen.Anything)), (containers, more) => $"{{\"containers\":{containers}{(more == "{}" ? "}" : "," + more[1..])}");

    /// <summary>Whole pods.</summary>
    public static Gen<string> Labelled { get; } = JsonGen.Full(("metadata", Metadata), ("spec", Spec));
}
