using System.Text.Json;
using System.Text.Json.Serialization;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>How a NitroEnclaveDeployment is doing, as GitOps tools show it; docs/argocd.md says which of its conditions mean which.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NedHealth>))]
internal enum NedHealth
{
    /// <summary>All enclaves run the current spec and are ready.</summary>
    Healthy,

    /// <summary>A change is on its way.</summary>
    Progressing,

    /// <summary>Something is wrong; the message says what and what mends it.</summary>
    Degraded,

    /// <summary>Rollouts are paused.</summary>
    Suspended,
}

/// <summary>A NitroEnclaveDeployment in short.</summary>
internal record NedItem
{
    /// <summary>Its namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Tells it from an earlier or later one of the same name.</summary>
    public required string Uid { get; init; }

    /// <summary>Number that the API server counts up with each change of the spec.</summary>
    public required long Generation { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether its deletion has begun.</summary>
    public required bool Deleting { get; init; }

    /// <summary>Its labels.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Enclaves wanted.</summary>
    public required int Replicas { get; init; }

    /// <summary>Enclaves that are ready.</summary>
    public required int ReadyReplicas { get; init; }

    /// <summary>Ready and wanted enclaves, such as 1/2; absent while the Reconciler has not looked at it.</summary>
    public string? Ready { get; init; }

    /// <summary>SCHEDULED or ERROR; absent while the Reconciler has not looked at it.</summary>
    public string? Status { get; init; }

    /// <summary>How it is doing.</summary>
    public required NedHealth Health { get; init; }

    /// <summary>Reason of the condition that decides its health, one word out of docs/troubleshooting.md.</summary>
    public required string Reason { get; init; }

    /// <summary>That condition's sentence.</summary>
    public required string Message { get; init; }
}

/// <summary>A NitroEnclaveDeployment.</summary>
internal sealed record NedDetail : NedItem
{
    /// <summary>Enclaves that run the current spec.</summary>
    [JsonPropertyOrder(1)]
    public required int UpdatedReplicas { get; init; }

    /// <summary>Enclaves that have been ready for minReadySeconds.</summary>
    [JsonPropertyOrder(1)]
    public required int AvailableReplicas { get; init; }

    /// <summary>SHA-384 of the manifest that its enclaves measure, in hexadecimal.</summary>
    [JsonPropertyOrder(1)]
    public string? ManifestDigest { get; init; }

    /// <summary>Measurements that a client should expect, by register such as PCR0, in hexadecimal; absent while they are not known.</summary>
    [JsonPropertyOrder(1)]
    public IReadOnlyDictionary<string, string>? Measurements { get; init; }

    /// <summary>Its conditions.</summary>
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<NedCondition> Conditions { get; init; }

    /// <summary>Actions that were asked for and are not carried out yet.</summary>
    [JsonPropertyOrder(1)]
    public required IReadOnlyList<AcceptedAction> WaitingActions { get; init; }

    /// <summary>The spec, as docs/api.md describes it.</summary>
    [JsonPropertyOrder(1)]
    public required JsonElement Spec { get; init; }
}

/// <summary>A condition of a NitroEnclaveDeployment.</summary>
/// <param name="Type">Scheduled, EnclavesHealthy, Ready, Reconciling or Stalled.</param>
/// <param name="Status">True, False or Unknown.</param>
/// <param name="Reason">One word.</param>
/// <param name="Message">One sentence, with the next step where there is something to do.</param>
/// <param name="LastTransitionTime">When the status changed.</param>
internal sealed record NedCondition(string Type, string Status, string Reason, string Message, DateTimeOffset? LastTransitionTime);

/// <summary>A page of NitroEnclaveDeployments, by namespace and name.</summary>
/// <param name="Items">The page.</param>
/// <param name="Continue">What to give as continue to get the next page; absent on the last one.</param>
/// <param name="Remaining">How many follow.</param>
internal sealed record NedList(IReadOnlyList<NedItem> Items, string? Continue, int Remaining);

/// <summary>An action that was asked for.</summary>
/// <param name="Id">Names it: in the events of the NED, and in the arguments of its job on Hangfire's dashboard.</param>
/// <param name="Action">What is done.</param>
/// <param name="At">When it was asked for.</param>
/// <param name="By">Who asked.</param>
internal sealed record AcceptedAction(string Id, Actions.NedActionKind Action, DateTimeOffset At, string By);

/// <summary>Counts over all that the caller may see.</summary>
/// <param name="Neds">NitroEnclaveDeployments.</param>
/// <param name="Namespaces">Namespaces that have some.</param>
/// <param name="Replicas">Enclaves wanted.</param>
/// <param name="ReadyReplicas">Enclaves that are ready.</param>
/// <param name="ByHealth">NitroEnclaveDeployments by their health.</param>
/// <param name="ByReason">Those that are not healthy, by reason.</param>
internal sealed record Summary(
    int Neds, int Namespaces, int Replicas, int ReadyReplicas, IReadOnlyDictionary<NedHealth, int> ByHealth, IReadOnlyDictionary<string, int> ByReason);

/// <summary>Something that happened to a NitroEnclaveDeployment.</summary>
/// <param name="Type">Normal or Warning.</param>
/// <param name="Reason">One word.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Count">How often.</param>
/// <param name="First">When it happened first.</param>
/// <param name="Last">When it happened last.</param>
internal sealed record NedEvent(string Type, string Reason, string Message, int Count, DateTimeOffset? First, DateTimeOffset? Last);
