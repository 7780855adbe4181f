namespace Enclaves.Api;

/// <summary>Every name that the parts and the cluster's users agree on: group, kind, labels, annotations, children.</summary>
public static class NedNames
{
    /// <summary>API group.</summary>
    public const string Group = "k8s.oblv.com";

    /// <summary>The version that is served and stored.</summary>
    public const string Version = "v1alpha1";

    /// <summary>apiVersion of an object.</summary>
    public const string ApiVersion = Group + "/" + Version;

    /// <summary>Kind of an object.</summary>
    public const string Kind = "NitroEnclaveDeployment";

    /// <summary>Resource name in URLs and RBAC rules.</summary>
    public const string Plural = "nitroenclavedeployments";

    /// <summary>Singular resource name.</summary>
    public const string Singular = "nitroenclavedeployment";

    /// <summary>What people type.</summary>
    public const string ShortName = "ned";

    /// <summary>The only container of an enclave pod's template; the pod webhook fills it.</summary>
    public const string HostContainer = "enclave-host";

    /// <summary>Image of the placeholder container; the pod webhook replaces it with the configured one.</summary>
    public const string AutoImage = "auto";

    /// <summary>Key of the manifest in its ConfigMap, and its file name in the pod.</summary>
    public const string ManifestFile = "manifest.json";

    /// <summary>Field manager of everything the Reconciler applies.</summary>
    public const string FieldManager = "enclaves-reconciler";

    /// <summary>
    /// Longest name of a NitroEnclaveDeployment: with it the longest child name, the manifest's ConfigMap, still is a DNS label
    /// of 63 characters, so that every child name can also be a label's value and a pod's host name.
    /// </summary>
    public const int MaxNameLength = 63 - 20;

    /// <summary>Hexadecimal digits of the manifest digest in the ConfigMap's name.</summary>
    public const int DigestDigits = 10;

    /// <summary>Name of the ConfigMap that holds the manifest with this digest.</summary>
    /// <param name="ned">Name of the NitroEnclaveDeployment.</param>
    /// <param name="digest">Digest of the canonical manifest in lower-case hexadecimal.</param>
    public static string ManifestConfigMap(string ned, string digest)
    {
        ArgumentNullException.ThrowIfNull(digest);
        return $"{ned}-manifest-{digest[..DigestDigits]}";
    }

    /// <summary>The labels that every child of a NitroEnclaveDeployment carries; on its pods they win over the template's.</summary>
    public static IReadOnlyDictionary<string, string> ChildLabels(string ned) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [NedLabels.Name] = ned,
        [NedLabels.ManagedBy] = NedLabels.ManagedByValue,
        [NedLabels.Component] = NedLabels.ComponentValue,
        [NedLabels.Deployment] = ned,
    };
}

/// <summary>Label keys and their fixed values.</summary>
public static class NedLabels
{
    /// <summary>Name of the NitroEnclaveDeployment that an object belongs to; the selector of its Deployment and Service.</summary>
    public const string Deployment = "k8s.oblv.com/deployment";

    /// <summary>"true" on pods that the pod webhook is to fill.</summary>
    public const string Inject = "k8s.oblv.com/inject";

    /// <summary>Value of <see cref="Inject"/>.</summary>
    public const string InjectValue = "true";

    /// <summary>Name of the application: the NitroEnclaveDeployment's.</summary>
    public const string Name = "app.kubernetes.io/name";

    /// <summary>Who manages the object.</summary>
    public const string ManagedBy = "app.kubernetes.io/managed-by";

    /// <summary>Value of <see cref="ManagedBy"/>.</summary>
    public const string ManagedByValue = "enclaves";

    /// <summary>Role of the object in its application.</summary>
    public const string Component = "app.kubernetes.io/component";

    /// <summary>Value of <see cref="Component"/>.</summary>
    public const string ComponentValue = "enclave";
}

/// <summary>Annotation keys of enclave pods.</summary>
public static class NedAnnotations
{
    /// <summary>All that injection needs besides the manifest: the JSON of <see cref="EnclaveSettings"/>.</summary>
    public const string Enclave = "k8s.oblv.com/enclave";

    /// <summary>Name of the ConfigMap that holds the manifest.</summary>
    public const string Manifest = "k8s.oblv.com/manifest";

    /// <summary>SHA-384 of the canonical manifest, 96 hexadecimal digits.</summary>
    public const string ManifestDigest = "k8s.oblv.com/manifest-digest";

    /// <summary>Written by the pod webhook: its version.</summary>
    public const string Injected = "k8s.oblv.com/injected";

    /// <summary>On a Deployment's pod template: when a restart was asked for the last time (RFC 3339). Another value is another template, and a rollout.</summary>
    public const string RestartedAt = "k8s.oblv.com/restarted-at";

    /// <summary>On Deployments: ids of the actions that have restarted it, the last ones, so that none does twice.</summary>
    public const string Restarts = "k8s.oblv.com/restarts";

    /// <summary>
    /// What begins the keys of actions that are asked for on a NitroEnclaveDeployment, one annotation each until it is carried out; the rest
    /// of the key is the action's id.
    /// </summary>
    public const string ActionPrefix = "action.k8s.oblv.com/";
}
