using System.Globalization;
using System.Text.Json.Nodes;
using Enclaves.Api;

namespace Enclaves.Webhook.Injection;

/// <summary>
/// Where EnclaveHost finds Secrets: each key is a file <c>/etc/enclave/secrets/SECRET/KEY</c>. A Secret of which single keys are needed is
/// a source of one volume for all of those. A whole one has a volume of its own, since only named keys can be given a folder.
/// </summary>
internal sealed class SecretVolumes
{
    /// <summary>Folder of all Secrets.</summary>
    public const string Root = "/etc/enclave/secrets";

    private const string CommonVolume = "enclave-secrets";
    private const string PullKey = ".dockerconfigjson";

    private readonly List<(string Volume, string Path, JsonArray Sources)> _volumes = [];

    public SecretVolumes(EnclaveSettings settings)
    {
        var needs = settings.PullSecrets.Select(name => new SecretNeed { Name = name, Keys = [PullKey] }).Concat(settings.Secrets ?? []);
        var common = new JsonArray();
        foreach (var secret in needs.GroupBy(need => need.Name).OrderBy(secret => secret.Key, StringComparer.Ordinal))
        {
            if (secret.All(need => need.Keys is not null))
            {
                AddSources(common, secret, secret.Key + "/");
                continue;
            }

            var own = new JsonArray();
            AddSources(own, secret, "");
            _volumes.Add((string.Create(CultureInfo.InvariantCulture, $"enclave-secret-{_volumes.Count}"), $"{Root}/{secret.Key}", own));
        }

        if (common.Count > 0)
            _volumes.Insert(0, (CommonVolume, Root, common));
    }

    /// <summary>The volumes' names and sources.</summary>
    public IEnumerable<(string Name, JsonObject Source)> Volumes => _volumes.Select(volume => (volume.Volume, new JsonObject { ["sources"] = volume.Sources.DeepClone() }));

    /// <summary>The volumes' names and where they are mounted.</summary>
    public IEnumerable<(string Name, string Path)> Mounts => _volumes.Select(volume => (volume.Volume, volume.Path));

    private static void AddSources(JsonArray sources, IGrouping<string, SecretNeed> secret, string folder)
    {
        var required = Keys(secret, optional: false);
        AddKeys(sources, secret.Key, required, folder, optional: false);
        // A file has one source; where it is both, it is required.
        AddKeys(sources, secret.Key, Keys(secret, optional: true).Except(required), folder, optional: true);
        foreach (var optional in secret.Where(need => need.Keys is null).Select(need => need.Optional).Distinct().Order())
            sources.Add((JsonNode)Source(secret.Key, null, optional));
    }

    private static SortedSet<string> Keys(IGrouping<string, SecretNeed> secret, bool optional) =>
        new(secret.Where(need => need.Optional == optional).SelectMany(need => need.Keys ?? []), StringComparer.Ordinal);

    private static void AddKeys(JsonArray sources, string secret, IEnumerable<string> keys, string folder, bool optional)
    {
        var items = new JsonArray([.. keys.Select(key => new JsonObject { ["key"] = key, ["path"] = folder + key })]);
        if (items.Count > 0)
            sources.Add((JsonNode)Source(secret, items, optional));
    }

    // Unless it is optional, a missing Secret or key keeps the pod from starting, with an event that names it.
    private static JsonObject Source(string secret, JsonArray? items, bool optional)
    {
        var source = new JsonObject { ["name"] = secret };
        if (items is not null)
            source["items"] = items;
        if (optional)
            source["optional"] = true;
        return new JsonObject { ["secret"] = source };
    }
}
