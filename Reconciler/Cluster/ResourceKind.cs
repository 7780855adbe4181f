using Enclaves.Api;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Cluster;

/// <summary>A kind of object as the API server addresses it. The group is empty for the core group.</summary>
internal sealed record ResourceKind(string Group, string Version, string Plural, string Kind)
{
    /// <summary>Manifests, and what NEDs refer to. There are many of other people's, whose content is read only when it is needed.</summary>
    public static readonly ResourceKind ConfigMap = new("", "v1", "configmaps", "ConfigMap") { WatchesMetadata = true };

    /// <summary>Entrances to enclaves.</summary>
    public static readonly ResourceKind Service = new("", "v1", "services", "Service") { CreatesByVersion = false };

    /// <summary>Read only for the label that excludes one.</summary>
    public static readonly ResourceKind Namespace = new("", "v1", "namespaces", "Namespace") { Kept = KeptFields.Only(Metadata(("labels", null))) };

    /// <summary>Read only for what it can hold.</summary>
    public static readonly ResourceKind Node = new("", "v1", "nodes", "Node") { Kept = KeptFields.Only(Metadata(), ("status", KeptFields.Only(("allocatable", null)))) };

    /// <summary>What runs enclave pods.</summary>
    public static readonly ResourceKind Deployment = new("apps", "v1", "deployments", "Deployment");

    /// <summary>Read only to learn which manifests are still in use.</summary>
    public static readonly ResourceKind ReplicaSet = new("apps", "v1", "replicasets", "ReplicaSet")
    {
        Kept = KeptFields.Only(
            Metadata(OurLabel, ("ownerReferences", null)),
            ("spec", KeptFields.Only(("template", KeptFields.Only(("metadata", KeptFields.Only(("annotations", KeptFields.Only((NedAnnotations.Manifest, null)))))))))),
    };

    /// <summary>Read for where they run and for what keeps them from being ready.</summary>
    public static readonly ResourceKind Pod = new("", "v1", "pods", "Pod")
    {
        Kept = KeptFields.Only(
            Metadata(OurLabel, ("creationTimestamp", null), ("annotations", KeptFields.Only((NedAnnotations.Enclave, null), (NedAnnotations.ManifestDigest, null)))),
            ("spec", KeptFields.Only(("nodeName", null), ("containers", KeptFields.Only(("resources", KeptFields.Only(("requests", null))))))),
            ("status", KeptFields.Only(("phase", null), ("reason", null), ("message", null), ("podIP", null),
                ("conditions", KeptFields.Only(("type", null), ("status", null), ("reason", null), ("message", null))),
                ("containerStatuses", KeptFields.Only(("name", null), ("image", null), ("restartCount", null), ("state", null), ("lastState", null)))))),
    };

    /// <summary>
    /// What a user reads to learn what happened, and what nodes say of a pod that does not start. In the core group events can be selected by
    /// the object they are about.
    /// </summary>
    public static readonly ResourceKind Event = new("", "v1", "events", "Event")
    {
        Kept = KeptFields.Only(
            Metadata(), ("type", null), ("reason", null), ("message", null), ("count", null), ("firstTimestamp", null), ("lastTimestamp", null), ("eventTime", null),
            ("reportingComponent", null), ("source", KeptFields.Only(("component", null))), ("involvedObject", KeptFields.Only(("name", null), ("uid", null)))),
    };

    /// <summary>The Webhook's certificate; no other Secret is ever read.</summary>
    public static readonly ResourceKind Secret = new("", "v1", "secrets", "Secret");

    /// <summary>Where the Webhook's mutating endpoints are registered.</summary>
    public static readonly ResourceKind MutatingWebhooks =
        new("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration");

    /// <summary>Where its validating endpoint is.</summary>
    public static readonly ResourceKind ValidatingWebhooks =
        new("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration");

    /// <summary>Whose token it is (authentication.k8s.io).</summary>
    public static readonly ResourceKind TokenReview = new("authentication.k8s.io", "v1", "tokenreviews", "TokenReview");

    /// <summary>What somebody may do (authorization.k8s.io).</summary>
    public static readonly ResourceKind SubjectAccessReview = new("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview");

    /// <summary>How replicas agree on a leader.</summary>
    public static readonly ResourceKind Lease = new("coordination.k8s.io", "v1", "leases", "Lease");

    /// <summary>
    /// Whether an apply with a version that no object has creates what does not exist, and is a conflict with what does. Services have
    /// storage of their own in old servers (1.20 among them), which refuses a version.
    /// </summary>
    public bool CreatesByVersion { get; init; } = true;

    /// <summary>What is kept of objects that are watched.</summary>
    public KeptFields Kept { get; init; } = KeptFields.Whole;

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

    private static (string, KeptFields?) OurLabel => ("labels", KeptFields.Only((NedLabels.Deployment, null)));

    private static (string, KeptFields?) Metadata(params (string, KeptFields?)[] more) => ("metadata", KeptFields.Only(
        [("name", null), ("namespace", null), ("uid", null), ("resourceVersion", null), ("deletionTimestamp", null), .. more]));
}
