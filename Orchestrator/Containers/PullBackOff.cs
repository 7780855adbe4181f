using Enclaves.Channel;

namespace Enclaves.Orchestrator.Containers;

/// <summary>The wait between failed pulls of one image: 10 s, doubling up to 5 min, as a kubelet's.</summary>
internal sealed class PullBackOff
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private TimeSpan _next = First;

    /// <summary>The wait after one more failure.</summary>
    public TimeSpan Next()
    {
        var wait = _next;
        _next = wait.Doubled(Longest);
        return wait;
    }

    /// <summary>The image is there, or something changed that makes another try worth while: begin anew.</summary>
    public void Reset() => _next = First;
}
