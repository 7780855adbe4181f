namespace Enclaves.Reconciler.Status;

/// <summary>
/// Every reason that a condition or an event of a NED can have. docs/troubleshooting.md says of each what it means and what to do.
/// </summary>
internal static class Reasons
{
    // All is well, or on its way.
    public const string DeploymentAccepted = nameof(DeploymentAccepted);
    public const string ManifestCreated = nameof(ManifestCreated);
    public const string EnclavesReady = nameof(EnclavesReady);
    public const string AllEnclavesReady = nameof(AllEnclavesReady);
    public const string NoEnclavesWanted = nameof(NoEnclavesWanted);
    public const string Settled = nameof(Settled);
    public const string NotStalled = nameof(NotStalled);
    public const string RolloutStarting = nameof(RolloutStarting);
    public const string RollingOut = nameof(RollingOut);
    public const string Paused = nameof(Paused);

    // An action was asked for.
    public const string ReconcileRequested = nameof(ReconcileRequested);
    public const string RestartRequested = nameof(RestartRequested);
    public const string ActionRefused = nameof(ActionRefused);

    // Nothing more is known, or another condition says it.
    public const string NoDeployment = nameof(NoDeployment);
    public const string EnclavesNotReady = nameof(EnclavesNotReady);
    public const string Retrying = nameof(Retrying);
    public const string Stalled = nameof(Stalled);
    public const string ProgressDeadlineExceeded = nameof(ProgressDeadlineExceeded);

    // The children cannot be made.
    public const string InvalidSpec = nameof(InvalidSpec);
    public const string InvalidManifest = nameof(InvalidManifest);
    public const string InvalidPodTemplate = nameof(InvalidPodTemplate);
    public const string NotSupportedYet = nameof(NotSupportedYet);
    public const string NamespaceExcluded = nameof(NamespaceExcluded);
    public const string NameConflict = nameof(NameConflict);
    public const string QuotaExceeded = nameof(QuotaExceeded);
    public const string Forbidden = nameof(Forbidden);
    public const string AdmissionDenied = nameof(AdmissionDenied);
    public const string ApplyRefused = nameof(ApplyRefused);
    public const string WebhookUnavailable = nameof(WebhookUnavailable);
    public const string ApiServerUnavailable = nameof(ApiServerUnavailable);
    public const string ApiServerUnreachable = nameof(ApiServerUnreachable);
    public const string NotFound = nameof(NotFound);
    public const string Deleted = nameof(Deleted);
    public const string LeftByEarlier = nameof(LeftByEarlier);
    public const string ChildBeingDeleted = nameof(ChildBeingDeleted);

    // The pods are refused; QuotaExceeded, InvalidPodTemplate and WebhookUnavailable are said of them too.
    public const string PodsForbidden = nameof(PodsForbidden);
    public const string ServiceAccountMissing = nameof(ServiceAccountMissing);
    public const string PodsNotCreated = nameof(PodsNotCreated);

    // The pods find no node.
    public const string NoNodes = nameof(NoNodes);
    public const string NoNodeFits = nameof(NoNodeFits);
    public const string NoMatchingNode = nameof(NoMatchingNode);
    public const string NoFreeDevice = nameof(NoFreeDevice);
    public const string NoHugepages = nameof(NoHugepages);
    public const string NoRoom = nameof(NoRoom);
    public const string Unschedulable = nameof(Unschedulable);

    // The node cannot start EnclaveHost.
    public const string SecretMissing = nameof(SecretMissing);
    public const string SecretKeyMissing = nameof(SecretKeyMissing);
    public const string ConfigMapMissing = nameof(ConfigMapMissing);
    public const string ConfigMapKeyMissing = nameof(ConfigMapKeyMissing);
    public const string HostImagePull = nameof(HostImagePull);
    public const string HostNotStarted = nameof(HostNotStarted);
    public const string PodFailed = nameof(PodFailed);

    // EnclaveHost runs, or did, and the enclave is not well.
    public const string EnclaveBootFailed = nameof(EnclaveBootFailed);
    public const string EnclaveCrashLooping = nameof(EnclaveCrashLooping);
    public const string EnclaveNotAnswering = nameof(EnclaveNotAnswering);
    public const string EnclaveHostCrashLooping = nameof(EnclaveHostCrashLooping);
    public const string EnclaveHostSilent = nameof(EnclaveHostSilent);
    public const string EnclaveUnhealthy = nameof(EnclaveUnhealthy);
    public const string EnclaveBootedAgain = nameof(EnclaveBootedAgain);

    // The enclave runs and a plugin in it does not.
    public const string PluginImagePull = nameof(PluginImagePull);
    public const string PluginNotStarted = nameof(PluginNotStarted);
    public const string PluginRestarting = nameof(PluginRestarting);
    public const string PluginUnhealthy = nameof(PluginUnhealthy);
    public const string PluginRestarted = nameof(PluginRestarted);
}
