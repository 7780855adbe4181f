namespace Enclaves.Channel;

/// <summary>Waits between tries.</summary>
public static class Backoff
{
    /// <summary>The wait after this one: twice as long, but not longer than <paramref name="longest"/>.</summary>
    public static TimeSpan Doubled(this TimeSpan wait, TimeSpan longest) => wait * 2 < longest ? wait * 2 : longest;
}
