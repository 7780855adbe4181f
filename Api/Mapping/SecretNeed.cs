using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>A Secret of the pod's namespace that EnclaveHost is to be given, or some of its keys.</summary>
public sealed record SecretNeed
{
    /// <summary>Name of the Secret.</summary>
    public required string Name { get; init; }

    /// <summary>Keys that are needed, each once, sorted; null means whatever the Secret has.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Keys { get; init; }

    /// <summary>Whether a pod starts without it. Unless it is true, a Secret or key that is missing keeps the pod from starting, as in any pod.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Optional { get; init; }

    /// <summary>
    /// What a spec refers to besides the Secrets that images are pulled with: variables, volumes, headers. One need for each name,
    /// optionality, and whether it is the whole Secret; sorted. What lacks a name or key is left out: admission refuses it.
    /// </summary>
    public static IReadOnlyList<SecretNeed> Of(NitroEnclaveDeploymentSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return
        [
            .. References(spec)
                .Where(reference => !string.IsNullOrEmpty(reference.Name))
                .GroupBy(reference => (Name: reference.Name!, reference.Optional, IsWhole: reference.Keys is null))
                .OrderBy(group => group.Key.Name, StringComparer.Ordinal).ThenBy(group => group.Key.Optional).ThenBy(group => group.Key.IsWhole)
                .Select(group => new SecretNeed
                {
                    Name = group.Key.Name,
                    Optional = group.Key.Optional,
                    Keys = group.Key.IsWhole ? null : [.. new SortedSet<string>(group.SelectMany(reference => reference.Keys!), StringComparer.Ordinal)],
                })
                .Where(need => need.Keys is not { Count: 0 }),
        ];
    }

    private static IEnumerable<(string? Name, IEnumerable<string>? Keys, bool Optional)> References(NitroEnclaveDeploymentSpec spec)
    {
        foreach (var reference in NedPlugin.Of(spec).SelectMany(plugin => plugin.Container?.Env ?? []).Select(variable => variable?.ValueFrom?.SecretKeyRef).OfType<KeyReference>())
            yield return (reference.Name, reference.Key is { Length: > 0 } key ? [key] : [], reference.Optional ?? false);
        foreach (var secret in (spec.Volumes ?? []).Select(volume => volume?.Secret).OfType<SecretVolume>())
            yield return (secret.SecretName, secret.Items is { Count: > 0 } items ? items.Select(item => item?.Key).OfType<string>() : null, secret.Optional ?? false);
        yield return (spec.Logging?.Otlp?.HeadersSecret, null, false);
    }
}
