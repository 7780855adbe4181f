using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Channel.Manifest;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Reconciling.Children;

/// <summary>The canonical manifest of a NED with its digest.</summary>
internal sealed record NedManifest(string Text, string Digest, string ConfigMapName)
{
    /// <summary>Maps a NED to its manifest.</summary>
    /// <param name="ned">The NED.</param>
    /// <param name="config">The contents of the ConfigMaps that it refers to.</param>
    /// <exception cref="NedSpecException">The spec cannot be mapped.</exception>
    /// <exception cref="ManifestException">The manifest is too large.</exception>
    public static NedManifest Of(NitroEnclaveDeployment ned, IConfigValues config)
    {
        var bytes = ManifestCodec.Write(ManifestMapping.ToManifest(ned, config));
        var digest = Convert.ToHexStringLower(SHA384.HashData(bytes));
        return new NedManifest(Encoding.UTF8.GetString(bytes), digest, NedNames.ManifestConfigMap(ned.Metadata.Name, digest));
    }
}

/// <summary>
/// The ConfigMap that carries a manifest to its pods. Immutable and named after its content: a pod of an earlier revision keeps the
/// manifest it was started for, and a change is always a new object.
/// </summary>
internal static class ManifestConfigMap
{
    /// <summary>The fields to apply.</summary>
    public static JsonObject Fields(LiveObject ned, NedManifest manifest)
    {
        var body = ChildMetadata.Body(ResourceKind.ConfigMap, manifest.ConfigMapName, ned);
        body["metadata"]!["annotations"] = new JsonObject { [NedAnnotations.ManifestDigest] = manifest.Digest };
        body["immutable"] = true;
        body["data"] = new JsonObject { [NedNames.ManifestFile] = manifest.Text };
        return body;
    }
}
