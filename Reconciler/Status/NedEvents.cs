using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Status;

/// <summary>
/// Writes Kubernetes events about NEDs. The callers write one for each transition, never one for each pass. An event that cannot be
/// written is logged and let go: the condition says the same, and no reconcile fails for it.
/// </summary>
internal sealed partial class NedEvents(ApiServer server, TimeProvider time, ILogger<NedEvents> logger)
{
    private const string Controller = "k8s.oblv.com/enclaves-reconciler";

    // Limit of events.k8s.io/v1, in bytes of UTF-8.
    private const int MaxNoteBytes = 1024;

    /// <summary>Writes one event.</summary>
    /// <param name="ned">The NED it is about.</param>
    /// <param name="type">Normal or Warning.</param>
    /// <param name="reason">CamelCase word.</param>
    /// <param name="action">What was being done.</param>
    /// <param name="note">One sentence.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task WriteAsync(LiveObject ned, string type, string reason, string action, string note, CancellationToken cancellation)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var body = new JsonObject
        {
            ["apiVersion"] = ResourceKind.Event.ApiVersion,
            ["kind"] = ResourceKind.Event.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = string.Create(CultureInfo.InvariantCulture, $"{ned.Key.Name}.{now.Ticks:x}{Random.Shared.Next(0x1000):x3}"),
                ["namespace"] = ned.Key.Namespace,
            },
            ["eventTime"] = now.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            ["reportingController"] = Controller,
            ["reportingInstance"] = Environment.MachineName,
            ["type"] = type,
            ["reason"] = reason,
            ["action"] = action,
            ["note"] = Cut(note),
            ["regarding"] = new JsonObject
            {
                ["apiVersion"] = NedNames.ApiVersion,
                ["kind"] = NedNames.Kind,
                ["name"] = ned.Key.Name,
                ["namespace"] = ned.Key.Namespace,
                ["uid"] = ned.Uid,
                ["resourceVersion"] = ned.ResourceVersion,
            },
        };
        try
        {
            await server.CreateAsync(ResourceKind.Event, ned.Key.Namespace, body, cancellation);
        }
        catch (Exception failure) when (ApiServer.IsFailure(failure))
        {
            LogLost(logger, reason, failure.Message);
        }
    }

    /// <summary>The note as far as the limit allows, never with half a character at its end.</summary>
    internal static string Cut(string note)
    {
        const string more = "…";
        if (Encoding.UTF8.GetByteCount(note) <= MaxNoteBytes)
            return note;
        var room = MaxNoteBytes - Encoding.UTF8.GetByteCount(more);
        var length = 0;
        foreach (var rune in note.EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0)
                break;
            length += rune.Utf16SequenceLength;
        }

        return note[..length] + more;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The event {Reason} could not be written: {Failure}")]
    private static partial void LogLost(ILogger logger, string reason, string failure);
}
