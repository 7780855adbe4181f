using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>Reads an Event as the API server has it. Pure.</summary>
internal static class EventReader
{
    /// <summary>What the REST API shows of it.</summary>
    public static NedEvent Read(LiveObject live)
    {
        var once = JsonText.Time(live.TextAt("eventTime"));
        return new NedEvent(
            live.TextAt("type") ?? "", live.TextAt("reason") ?? "", live.TextAt("message") ?? "", Math.Max(1, live.CountAt("count")),
            JsonText.Time(live.TextAt("firstTimestamp")) ?? once, JsonText.Time(live.TextAt("lastTimestamp")) ?? once);
    }
}
