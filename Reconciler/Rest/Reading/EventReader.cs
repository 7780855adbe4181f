using System.Globalization;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>Reads an Event as the API server has it. Pure.</summary>
internal static class EventReader
{
    /// <summary>What the REST API shows of it.</summary>
    public static NedEvent Read(LiveObject live)
    {
        var once = Time(live.TextAt("eventTime"));
        return new NedEvent(
            live.TextAt("type") ?? "", live.TextAt("reason") ?? "", live.TextAt("message") ?? "", Math.Max(1, live.CountAt("count")),
            Time(live.TextAt("firstTimestamp")) ?? once, Time(live.TextAt("lastTimestamp")) ?? once);
    }

    private static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time) ? time : null;
}
