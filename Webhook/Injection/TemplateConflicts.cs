using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Webhook.Review;

namespace Enclaves.Webhook.Injection;

/// <summary>
/// Finds what a pod has in a place that the template needs: laid over each other both would be lost, or the API server would refuse the
/// result with a message about fields that nobody wrote.
/// </summary>
/// <param name="pod">The pod.</param>
/// <param name="container">Its container enclave-host.</param>
/// <param name="path">Path of the container.</param>
/// <param name="template">What is to be laid over it.</param>
internal sealed class TemplateConflicts(JsonElement pod, JsonElement container, string path, JsonObject template)
{
    private JsonNode Host => template["spec"]!["containers"]![0]!;

    /// <summary>All conflicts.</summary>
    public IEnumerable<AdmissionCause> Find() =>
        [.. Volumes(), .. Mounts(), .. Variables(), .. OwnPorts(), .. OthersPorts(), .. Hugepages(), .. Probes(), .. Seccomp()];

    private IEnumerable<AdmissionCause> Volumes()
    {
        var ours = ByName(template["spec"]!["volumes"]!);
        foreach (var (index, volume) in Indexed(pod.At("spec", "volumes")))
        {
            var kind = Named(ours, volume)?.AsObject().Select(member => member.Key).Single(name => name != "name");
            if (kind is not null && volume.At(kind) is null)
                yield return new(Invariant($"spec.volumes[{index}].name"), $"is '{volume.At("name").Text()}', which injection makes as {kind}; give your volume another name");
        }
    }

    private IEnumerable<AdmissionCause> Mounts()
    {
        var ours = Host["volumeMounts"]!.AsArray().ToDictionary(mount => (string)mount!["mountPath"]!, mount => (string)mount!["name"]!);
        var folders = ours.Keys.Where(place => !place.StartsWith(SecretVolumes.Root, StringComparison.Ordinal)).Append(SecretVolumes.Root).ToList();
        foreach (var (index, mount) in Indexed(container.At("volumeMounts")))
        {
            if (mount.At("mountPath").Text() is not { } at || (ours.TryGetValue(at, out var volume) && mount.At("name").Is(volume)))
                continue;
            // Below is as bad: it would hide a part of what EnclaveHost reads or writes there.
            if (folders.Find(place => (at.TrimEnd('/') + "/").StartsWith(place + "/", StringComparison.Ordinal)) is { } taken)
                yield return new(Invariant($"{path}.volumeMounts[{index}].mountPath"), $"is '{at}', but {taken} is a folder of EnclaveHost's own; mount your volume elsewhere");
        }
    }

    private IEnumerable<AdmissionCause> Variables()
    {
        var ours = ByName(Host["env"]!);
        foreach (var (index, variable) in Indexed(container.At("env")))
        {
            if (Named(ours, variable) is not { } wanted)
                continue;
            var isOther = wanted["value"] is null
                ? variable.At("value").Text() is { Length: > 0 } || HasOtherThan(variable.At("valueFrom"), "fieldRef")
                : variable.At("valueFrom") is not null;
            if (isOther)
                yield return new(Invariant($"{path}.env[{index}].name"), $"is '{variable.At("name").Text()}', a variable that injection sets; remove it");
        }
    }

    private IEnumerable<AdmissionCause> OwnPorts()
    {
        var byName = ByName(Host["ports"]!);
        var byNumber = byName.Values.ToDictionary(port => (long)(int)port["containerPort"]!);
        foreach (var (index, port) in Indexed(container.At("ports")))
        {
            var (number, name) = (Number(port), port.At("name").Text());
            var sameNumber = number is null ? null : byNumber.GetValueOrDefault(number.Value);
            if ((sameNumber ?? Named(byName, port)) is not { } ours)
                continue;
            if (sameNumber is null || (name is { Length: > 0 } && name != (string)ours["name"]!) || !IsTcp(port))
                yield return new(Invariant($"{path}.ports[{index}]"), $"contradicts the port {ours["name"]} = {ours["containerPort"]}/TCP that injection adds; remove it");
        }
    }

    // Init containers have ended by then, unless they are sidecars.
    private IEnumerable<AdmissionCause> OthersPorts()
    {
        var ours = Host["ports"]!.AsArray().Select(port => (long?)(int)port!["containerPort"]!).ToHashSet();
        return Of("containers").Where(item => !item.Container.At("name").Is(NedNames.HostContainer))
            .Concat(Of("initContainers").Where(item => item.Container.At("restartPolicy").Is("Always")))
            .SelectMany(item => Indexed(item.Container.At("ports")).Where(port => IsTcp(port.Item) && ours.Contains(Number(port.Item)))
                .Select(port => new AdmissionCause(Invariant($"{item.Path}.ports[{port.Index}].containerPort"), Invariant(
                    $"is {Number(port.Item)}, on which {NedNames.HostContainer} listens in the same pod; let this container listen on another port"))));
    }

    private IEnumerable<AdmissionCause> Hugepages()
    {
        var wanted = Host["resources"]!["limits"]!.AsObject().Single(limit => limit.Key.StartsWith("hugepages-", StringComparison.Ordinal));
        var bytes = Bytes((string)wanted.Value!);
        foreach (var kind in (string[])["limits", "requests"])
        {
            if (container.At("resources", kind) is not { ValueKind: JsonValueKind.Object } amounts)
                continue;
            foreach (var amount in amounts.EnumerateObject().Where(amount => amount.Name.StartsWith("hugepages-", StringComparison.Ordinal)))
            {
                if (amount.Name != wanted.Key || (Bytes(amount.Value.ValueKind == JsonValueKind.String ? amount.Value.GetString() : null) is { } given && given != bytes))
                    yield return new($"{path}.resources.{kind}[{amount.Name}]", $"contradicts the annotation {NedAnnotations.Enclave}, which says {wanted.Key}: {wanted.Value}; remove it");
            }
        }
    }

    private IEnumerable<AdmissionCause> Probes() => ((string[])["startupProbe", "readinessProbe", "livenessProbe"])
        .Where(probe => Host[probe] is not null && ((string[])["exec", "tcpSocket", "grpc"]).Any(handler => container.At(probe, handler) is not null))
        .Select(probe => new AdmissionCause($"{path}.{probe}", "contradicts the HTTP probe that injection adds; remove it"));

    private IEnumerable<AdmissionCause> Seccomp()
    {
        if (Host["securityContext"]!["seccompProfile"]!["localhostProfile"] is null && container.At("securityContext", "seccompProfile", "localhostProfile") is not null)
            yield return new($"{path}.securityContext.seccompProfile", "contradicts the profile that this installation gives enclave pods; remove it");
    }

    private IEnumerable<(string Path, JsonElement Container)> Of(string list) =>
        Indexed(pod.At("spec", list)).Select(item => (Invariant($"spec.{list}[{item.Index}]"), item.Item));

    private static IEnumerable<(int Index, JsonElement Item)> Indexed(JsonElement? list) => list.Items().Select((item, index) => (index, item));

    private static Dictionary<string, JsonNode> ByName(JsonNode ours) => ours.AsArray().ToDictionary(item => (string)item!["name"]!, item => item!, StringComparer.Ordinal);

    private static JsonNode? Named(Dictionary<string, JsonNode> ours, JsonElement item) =>
        item.At("name").Text() is { } name ? ours.GetValueOrDefault(name) : null;

    private static bool HasOtherThan(JsonElement? source, string kind) =>
        source is { ValueKind: JsonValueKind.Object } members && members.EnumerateObject().Any(member => member.Name != kind && member.Value.ValueKind != JsonValueKind.Null);

    private static bool IsTcp(JsonElement port) => port.At("protocol") is not { } protocol || ((JsonElement?)protocol).Is("TCP");

    private static long? Number(JsonElement port) =>
        port.At("containerPort") is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) ? value : null;

    private static long? Bytes(string? quantity) => MemoryQuantity.TryParse(quantity, out var bytes, out _) ? bytes : null;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
