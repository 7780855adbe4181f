using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Actions;

/// <summary>
/// Something that somebody asked for and that is done once: an annotation on the NED, written by any replica, carried out and taken away by the
/// leader. Whoever may patch a NED may write one, so what it says is quoted and never believed.
/// </summary>
/// <remarks>
///     asked for ── annotation action.k8s.oblv.com/ID on the NED ── a job on the leader ── effect ── annotation removed
/// A replica that ends in between leaves the annotation, and the next leader finds it. The effect of an action that was carried out already is
/// nothing, so that a job which is cut off before it removes the annotation may be run again.
/// </remarks>
/// <param name="Id">Names it for whoever asked.</param>
/// <param name="Kind">What to do.</param>
/// <param name="At">When it was asked for, by the clock of the replica that was asked.</param>
/// <param name="By">Who asked, as the API server knows them.</param>
internal sealed record NedAction(string Id, NedActionKind Kind, DateTimeOffset At, string By)
{
    /// <summary>Most actions that may wait on one NED; whoever asks for another is told to come again.</summary>
    public const int MostWaiting = 8;

    private const int MostCharacters = 1024;
    private const int IdBytes = 15;

    /// <summary>Key of its annotation.</summary>
    public string Annotation => NedAnnotations.ActionPrefix + Id;

    /// <summary>A new one, with an id that nobody guesses.</summary>
    public static NedAction New(NedActionKind kind, DateTimeOffset at, string by) =>
        new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes)), kind, at, by);

    /// <summary>The annotation's value.</summary>
    public string Write() => JsonSerializer.Serialize(new Written(Kind, At, By), NedActionJson.Default.Written);

    /// <summary>What waits on a NED, the oldest first.</summary>
    /// <param name="ned">The NED.</param>
    /// <param name="unreadable">Takes the keys of annotations that are no actions.</param>
    public static IReadOnlyList<NedAction> Of(LiveObject ned, Action<string>? unreadable = null)
    {
        if (ned.At("metadata", "annotations") is not { ValueKind: JsonValueKind.Object } annotations)
            return [];
        var actions = new List<NedAction>();
        foreach (var annotation in annotations.EnumerateObject().Where(annotation => annotation.Name.StartsWith(NedAnnotations.ActionPrefix, StringComparison.Ordinal)))
        {
            if (Read(annotation.Name[NedAnnotations.ActionPrefix.Length..], annotation.Value.GetString() ?? "") is { } action)
                actions.Add(action);
            else
                unreadable?.Invoke(annotation.Name);
        }

        actions.Sort((one, other) => one.At != other.At ? one.At.CompareTo(other.At) : string.CompareOrdinal(one.Id, other.Id));
        return actions;
    }

    private static NedAction? Read(string id, string value)
    {
        if (value.Length > MostCharacters)
            return null;
        try
        {
            return JsonSerializer.Deserialize(value, NedActionJson.Default.Written) is { } written ? new NedAction(id, written.Action, written.Time, written.By) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The value of the annotation.</summary>
    internal sealed record Written(NedActionKind Action, DateTimeOffset Time, string By);
}

/// <summary>What can be asked for.</summary>
internal enum NedActionKind
{
    /// <summary>A look at the NED now, however long a pause its failures have earned.</summary>
    Reconcile,

    /// <summary>New enclaves in the place of those that run, one after the other as the NED's strategy says.</summary>
    Restart,
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, MaxDepth = 4, RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(NedAction.Written))]
internal sealed partial class NedActionJson : JsonSerializerContext;
