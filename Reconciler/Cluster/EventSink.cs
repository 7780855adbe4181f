using System.Globalization;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Control.Events;
using Enclaves.Reconciler.Leadership;

namespace Enclaves.Reconciler.Cluster;

/// <summary>
/// Writes Events by server-side apply, which makes a new one, counts up a present one, and makes one again that the server has forgotten.
/// </summary>
internal sealed class EventSink(ApiServer server) : IEventSink
{
    private const string Component = "enclaves-reconciler";
    private const string Controller = $"k8s.oblv.com/{Component}";

    /// <inheritdoc />
    public async Task WriteAsync(EventState state, CancellationToken cancellation)
    {
        try
        {
            var about = state.What.About.Key;
            await server.ApplyAsync(ResourceKind.Event, about with { Name = state.Name }, Fields(state), force: true, null, cancellation);
        }
        catch (ApiException refused)
        {
            throw new EventNotWrittenException(refused.Message, refused.IsTransient, refused.RetryAfter);
        }
        catch (Exception failure) when (ApiServer.IsFailure(failure) || failure is NotLeaderException)
        {
            // The fence may open again: a leader that was frozen for a while may find that nobody has taken its place.
            throw new EventNotWrittenException(failure.Message, isTransient: true);
        }
    }

    /// <summary>
    /// An Event as core/v1, with the fields of events.k8s.io/v1 (eventTime, series, action) and those that only core/v1 may set: without
    /// lastTimestamp "kubectl describe" shows events in no order, and without count older readers show no repetition.
    /// </summary>
    internal static JsonObject Fields(EventState state)
    {
        var (_, what, count, first, last) = state;
        var fields = new JsonObject
        {
            ["apiVersion"] = ResourceKind.Event.ApiVersion,
            ["kind"] = ResourceKind.Event.Kind,
            ["metadata"] = new JsonObject { ["name"] = state.Name, ["namespace"] = what.About.Key.Namespace },
            ["involvedObject"] = new JsonObject
            {
                ["apiVersion"] = what.About.ApiVersion,
                ["kind"] = what.About.Kind,
                ["name"] = what.About.Key.Name,
                ["namespace"] = what.About.Key.Namespace,
                ["uid"] = what.About.Uid,
                ["resourceVersion"] = what.About.ResourceVersion,
            },
            ["type"] = what.Type,
            ["reason"] = what.Reason,
            ["action"] = what.Action,
            ["message"] = what.Note,
            ["eventTime"] = Microseconds(first),
            ["firstTimestamp"] = Seconds(first),
            ["lastTimestamp"] = Seconds(last),
            ["count"] = count,
            ["reportingComponent"] = Controller,
            ["reportingInstance"] = Environment.MachineName,
            ["source"] = new JsonObject { ["component"] = Component },
        };
        if (count > 1)
            fields["series"] = new JsonObject { ["count"] = count, ["lastObservedTime"] = Microseconds(last) };
        return fields;
    }

    private static string Microseconds(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static string Seconds(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
