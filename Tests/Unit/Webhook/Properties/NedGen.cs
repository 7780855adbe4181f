using CsCheck;

namespace Enclaves.Tests.Unit.Webhook.Properties;

/// <summary>NEDs as they are written: some of the fields, most of them right, some of a type that no schema allows, some that no type knows.</summary>
internal static class NedGen
{
    private static readonly Gen<string> Port = JsonGen.Object(
        ("containerPort", JsonGen.Of("80", "8080").Mostly()), ("hostPort", JsonGen.Of("80", "443", "null").Mostly()), ("name", JsonGen.Of("\"web\"")));

    private static readonly Gen<string> Ports = JsonGen.ListOf(Port.Mostly()).Mostly();

    private static readonly Gen<string> Plugin = JsonGen.Object(
        ("name", JsonGen.Of("\"a\"", "\"b\"")), ("image", JsonGen.Of("\"r.example/a:1\"")), ("ports", Ports), ("env", JsonGen.ListOf(JsonGen.Object(("name", JsonGen.Of("\"A\""))))));

    private static readonly Gen<string> Labels = JsonGen.Object(
        ("a/b~c", JsonGen.Of("\"d\"").Mostly()), ("k8s.oblv.com/deployment", JsonGen.Of("\"mine\"", "null").Mostly()), ("app.kubernetes.io/component", JsonGen.Of("\"x\"").Mostly()));

    private static readonly Gen<string> Metadata = JsonGen.Object(
        ("name", JsonGen.Of("\"demo\"", "\"demo\"", "\"\"", $"\"{new string('a', 64)}\"").Mostly()), ("generateName", JsonGen.Of("\"demo-\"")), ("labels", Labels.Mostly()));

    private static readonly Gen<string> Enclave = JsonGen.Object(
        ("cpuCount", JsonGen.Of("2").Mostly()),
        ("memory", JsonGen.Of("\"1Gi\"", "\"4Gi\"", "\"8Gi\"", "\"4608Mi\"", "1073741824", "\"much\"", "null").Mostly()),
        ("hugepageSize", JsonGen.Of("\"2Mi\"", "\"1Gi\"", "null").Mostly()));

    private static readonly Gen<string> Strategy = JsonGen.Object(
        ("type", JsonGen.Of("\"RollingUpdate\"", "\"Recreate\"", "null").Mostly()),
        ("rollingUpdate", JsonGen.Object(("maxSurge", JsonGen.Of("0", "\"50%\"", "null").Mostly()), ("maxUnavailable", JsonGen.Of("1"))).Mostly()));

    private static readonly Gen<string> Spec = JsonGen.Object(
        ("enclave", Enclave.Mostly()),
        ("strategy", Strategy.Mostly()),
        ("service", JsonGen.Object(("type", JsonGen.Of("\"None\"", "\"ClusterIP\"", "null"))).Mostly()),
        ("template", JsonGen.Object(("metadata", JsonGen.Object(("labels", Labels.Mostly())).Mostly()), ("nodeSelector", JsonGen.Anything)).Mostly()),
        ("userPlugins", JsonGen.ListOf(Plugin.Mostly()).Mostly()),
        ("privilegedPlugins", JsonGen.ListOf(JsonGen.Object(("kind", JsonGen.Of("\"auth\"")), ("spec", JsonGen.Object(("ports", Ports)).Mostly()))).Mostly()),
        ("volumes", JsonGen.ListOf(JsonGen.Object(("name", JsonGen.Of("\"v\""))))));

    /// <summary>Whole NEDs.</summary>
    public static Gen<string> Any { get; } = JsonGen.Full(("metadata", Metadata.Mostly()), ("spec", Spec.Mostly()));
}
