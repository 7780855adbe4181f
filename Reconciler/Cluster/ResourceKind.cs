using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Cluster;

/// <summary>A kind of object as the API server addresses it. The group is empty for the core group.</summary>
internal sealed record ResourceKind(string Group, string Version, string Plural, string Kind)
{
    /// <summary>Manifests, and what NEDs refer to. There are many of other people's, whose content is read only when it is needed.</summary>
    public static readonly ResourceKind ConfigMap = new("", "v1", "configmaps", "ConfigMap") { WatchesMetadata = true };

    /// <summary>Entrances to enclaves.</summary>
    public static readonly ResourceKind Service = new("", "v1", "services", "Service");

    /// <summary>Read only for the label that excludes one.</summary>
    public static readonly ResourceKind Namespace = new("", "v1", "namespaces", "Namespace");

    /// <summary>What runs enclave pods.</summary>
    public static readonly ResourceKind Deployment = new("apps", "v1", "deployments", "Deployment");

    /// <summary>Read only to learn which manifests are still in use.</summary>
    public static readonly ResourceKind ReplicaSet = new("apps", "v1", "replicasets", "ReplicaSet");

    /// <summary>Read only for what keeps them from being ready.</summary>
    public static readonly ResourceKind Pod = new("", "v1", "pods", "Pod") { Unused = "spec" };

    /// <summary>What a user reads to learn what happened.</summary>
    public static readonly ResourceKind Event = new("events.k8s.io", "v1", "events", "Event");

    /// <summary>The Webhook's certificate; no other Secret is ever read.</summary>
    public static readonly ResourceKind Secret = new("", "v1", "secrets", "Secret");

    /// <summary>Where the Webhook's mutating endpoints are registered.</summary>
    public static readonly ResourceKind MutatingWebhooks =
        new("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration");

    /// <summary>Where its validating endpoint is.</summary>
    public static readonly ResourceKind ValidatingWebhooks =
        new("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration");

    /// <summary>How replicas agree on a leader.</summary>
    public static readonly ResourceKind Lease = new("coordination.k8s.io", "v1", "leases", "Lease");

    /// <summary>A large member that nobody reads of objects that are watched, or null.</summary>
    public string? Unused { get; init; }

    /// <summary>Whether lists and watches are of the metadata alone (PartialObjectMetadata, meta.k8s.io/v1).</summary>
    public bool WatchesMetadata { get; init; }

    /// <summary>The apiVersion field of an object.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Path of one object, relative to the server's address.</summary>
    public string PathOf(ObjectKey key, string? subresource = null) =>
        $"{CollectionPath(key.Namespace)}/{Uri.EscapeDataString(key.Name)}{(subresource is null ? "" : "/" + subresource)}";

    /// <summary>Path of the objects of a namespace, or of all when it is null or empty.</summary>
    public string CollectionPath(string? space)
    {
        var root = Group.Length == 0 ? $"api/{Version}" : $"apis/{Group}/{Version}";
        return string.IsNullOrEmpty(space) ? $"{root}/{Plural}" : $"{root}/namespaces/{Uri.EscapeDataString(space)}/{Plural}";
    }

    /// <summary>For messages: "Deployment default/hello".</summary>
    public string Describe(ObjectKey key) => $"{Kind} {key}";
}
