using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shouldly;

namespace Enclaves.Tests.Unit.Webhook;

/// <summary>Looks for what an injection has taken from a pod: everything must still be there, lists in their order, with what is new at their ends.</summary>
internal static partial class Kept
{
    /// <summary>Fails where something of the pod is not in the injected one, other than a single value that injection decides on.</summary>
    public static void ShouldKeep(this JsonNode injected, JsonNode pod)
    {
        var host = pod["spec"]!["containers"]!.AsArray().Select((container, index) => (container, index)).Single(item => (string?)item.container!["name"] == "enclave-host").index;
        ShouldHold(injected, pod, "", $"/spec/containers/{host}/");
        injected["spec"]!["containers"]!.AsArray().Count.ShouldBe(pod["spec"]!["containers"]!.AsArray().Count);
        injected["spec"]!["initContainers"]?.AsArray().Count.ShouldBe(pod["spec"]!["initContainers"]!.AsArray().Count);
    }

    private static void ShouldHold(JsonNode? actual, JsonNode? expected, string path, string host)
    {
        switch (expected)
        {
            case null:
                return;
            case JsonObject members:
                foreach (var (name, value) in members)
                    ShouldHold(actual.ShouldBeOfType<JsonObject>(path)[name], value, $"{path}/{name}", host);
                // What is other containers' and volumes' gets nothing new either.
                if (path.StartsWith("/spec/containers/", StringComparison.Ordinal) && !path.StartsWith(host.TrimEnd('/'), StringComparison.Ordinal))
                    actual!.AsObject().Count.ShouldBe(members.Count, path);
                break;
            case JsonArray items:
                var present = actual.ShouldBeOfType<JsonArray>(path);
                present.Count.ShouldBeGreaterThanOrEqualTo(items.Count, path);
                for (var i = 0; i < items.Count; i++)
                    ShouldHold(present[i], items[i], $"{path}/{i}", host);
                break;
            case JsonValue when !(path.StartsWith(host, StringComparison.Ordinal) && DecidedInHost().IsMatch(path[host.Length..])) && !DecidedInPod().IsMatch(path):
                JsonNode.DeepEquals(actual, expected).ShouldBeTrue($"{path} was {expected.ToJsonString()} and is {actual?.ToJsonString()}");
                break;
        }
    }

    [GeneratedRegex(@"\A(?:image|imagePullPolicy|terminationMessagePolicy|resources/(?:limits|requests)/(?:cpu|memory)|securityContext/.*|(?:startup|readiness|liveness)Probe/.*)\z")]
    private static partial Regex DecidedInHost();

    [GeneratedRegex(@"\A/(?:metadata/annotations/k8s\.oblv\.com/injected|spec/automountServiceAccountToken|spec/enableServiceLinks)\z")]
    private static partial Regex DecidedInPod();
}
