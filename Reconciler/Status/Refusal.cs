using System.Net;
using System.Text.RegularExpressions;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Reconciling;

namespace Enclaves.Reconciler.Status;

/// <summary>
/// Why the API server does not let an object in: a named cause and the next step, by the words of its admission chain. Those are no API,
/// but have been the same from Kubernetes 1.20 on, and what is not recognised is told in the server's own words.
/// </summary>
internal static partial class Refusal
{
    private const string ByItself = "it is tried again by itself";

    /// <summary>What it means for a NED that one of its children was refused; null when nothing special is known of it.</summary>
    public static NedProblem? OfChild(ApiException refused)
    {
        var said = Quote.Of(refused.Message);
        return refused.Message switch
        {
            var text when Webhook(text) is { } webhook => new(Reasons.WebhookUnavailable,
                $"The webhook {webhook} must be asked and does not answer: {said}; see that what serves it runs, {ByItself}.", NeedsHelp: false),
            var text when IsQuota(text) => new(Reasons.QuotaExceeded,
                $"A ResourceQuota of the namespace leaves no room: {said}; raise the quota, or delete what is no longer needed.", NeedsHelp: true),
            var text when Rights().Match(text) is { Success: true } match => new(Reasons.Forbidden,
                $"The Reconciler has too few rights: {said}; give {Quote.Of(match.Groups["who"].Value, 200)} that right, as the chart's ClusterRole for the reconciler does.", NeedsHelp: true),
            var text when text.Contains("cannot set blockOwnerDeletion", StringComparison.Ordinal) => new(Reasons.Forbidden,
                $"The Reconciler has too few rights: {said}; let its service account update nitroenclavedeployments/finalizers, as the chart's ClusterRole for the reconciler does.", NeedsHelp: true),
            var text when IsDenial(text) => new(Reasons.AdmissionDenied,
                $"A policy of the cluster forbids it: {said}; change the NED as the policy asks, or have the policy changed.", NeedsHelp: true),
            var text when IsInvalid(refused) && text.Contains("spec.template", StringComparison.Ordinal) => new(Reasons.InvalidPodTemplate,
                $"The pod template is refused: {Quote.Of(TemplatePaths(refused.Message))}; correct that field of the NED and apply it again.", NeedsHelp: true),
            var text when IsInvalid(refused) && OwnSpec().IsMatch(text) => new(Reasons.InvalidSpec,
                $"The spec is refused: {said}; correct that field of the NED and apply it again.", NeedsHelp: true),
            _ => null,
        };
    }

    /// <summary>Why a ReplicaSet gets no pods.</summary>
    /// <param name="space">Namespace of the Deployment.</param>
    /// <param name="name">Its name.</param>
    /// <param name="message">What the API server told the ReplicaSet's controller, as its condition ReplicaFailure has it.</param>
    public static PodTrouble OfPods(string space, string name, string message)
    {
        var said = Quote.Of(message);
        var pods = $"The API server refuses the pods of Deployment {space}/{name}";
        return message switch
        {
            _ when Webhook(message) is { } webhook => new(Reasons.WebhookUnavailable,
                $"The pods of Deployment {space}/{name} cannot be made while the webhook {webhook} does not answer: {said}; see that what serves it runs, {ByItself}."),
            _ when IsQuota(message) => new(Reasons.QuotaExceeded,
                $"{pods} for want of quota: {said}; raise the ResourceQuota, ask for less, or set spec.strategy.rollingUpdate.maxSurge to 0 where only a rollout has no room."),
            _ when message.Contains("error looking up service account", StringComparison.Ordinal) => new(Reasons.ServiceAccountMissing,
                $"{pods}: {said}; create the ServiceAccount, or correct spec.template.serviceAccountName."),
            _ when message.Contains("no PriorityClass with name", StringComparison.Ordinal) => new(Reasons.InvalidPodTemplate,
                $"{pods}: {said}; correct spec.template.priorityClassName, or create the PriorityClass."),
            _ when message.Contains("is invalid: ", StringComparison.Ordinal) => new(Reasons.InvalidPodTemplate,
                $"{pods}: {Quote.Of(PodPaths(message))}; correct that field of the NED, or what changes its pods on the way (a LimitRange, another webhook)."),
            _ when message.Contains("violates PodSecurity", StringComparison.Ordinal) => new(Reasons.PodsForbidden,
                $"{pods}: {said}; take out of spec.template what it names, or have another pod-security.kubernetes.io/enforce set for the namespace."),
            _ when IsDenial(message) || message.Contains("is forbidden: ", StringComparison.Ordinal) => new(Reasons.PodsForbidden,
                $"{pods}: {said}; change the NED as that rule of the namespace or cluster asks, or have the rule changed."),
            _ => new(Reasons.PodsNotCreated, $"{pods}: {said}; mend what it names, {ByItself}."),
        };
    }

    // exceeded quota: a limit is reached; failed quota: a quota on a resource of which the pod says nothing.
    private static bool IsQuota(string message) =>
        message.Contains("exceeded quota: ", StringComparison.Ordinal) || message.Contains("failed quota: ", StringComparison.Ordinal);

    // By a webhook, by a ValidatingAdmissionPolicy, by a PodSecurityPolicy.
    private static bool IsDenial(string message) =>
        message.Contains("denied the request", StringComparison.Ordinal) || message.Contains("denied request: ", StringComparison.Ordinal)
        || message.Contains("unable to validate against any pod security policy", StringComparison.Ordinal);

    // An apply that does not fit the kind's schema has been an InternalError from the first version on.
    private static bool IsInvalid(ApiException refused) =>
        refused.Code == HttpStatusCode.UnprocessableEntity || refused.Message.Contains("failed to create typed patch object", StringComparison.Ordinal);

    private static string? Webhook(string message) =>
        FailedWebhook().Match(message) is { Success: true } match ? Quote.Of(match.Groups["name"].Value, 200) : null;

    // A Deployment's spec.template.spec.tolerations is the NED's spec.template.tolerations.
    private static string TemplatePaths(string message) => DeploymentPath().Replace(message, "spec.template.");

    private static string PodPaths(string message) => PodPath().Replace(message, "spec.template.${metadata}");

    [GeneratedRegex("""failed calling (admission )?webhook "(?<name>[^"]+)""")]
    private static partial Regex FailedWebhook();

    [GeneratedRegex("""User "(?<who>[^"]+)" cannot [a-z]+ (resource|path) """)]
    private static partial Regex Rights();

    [GeneratedRegex(@"\.?\bspec\.template\.spec\.")]
    private static partial Regex DeploymentPath();

    // Containers and volumes are the injection's; the NED has no path for them.
    [GeneratedRegex(@"(?<=: |\[|, )(spec\.(?!containers|initContainers|volumes|securityContext)|(?<metadata>metadata\.))")]
    private static partial Regex PodPath();

    [GeneratedRegex(@"\bspec\.(strategy|replicas|minReadySeconds|progressDeadlineSeconds|revisionHistoryLimit|ports|type)\b")]
    private static partial Regex OwnSpec();
}
