namespace Enclaves.EnclaveHost.Lifecycle;

/// <summary>
/// Divides the grace of a stop, counted from its creation, so that the end is within it: a fifth, but no more than 5 s, in which all is
/// served as before; a third, but no more than 10 s, for open connections; a tenth at the end for power-off; what is left for the containers.
/// </summary>
internal sealed class StopSchedule(TimeSpan grace, TimeProvider time)
{
    /// <summary>How long an enclave that has stopped its containers may take to end by itself.</summary>
    public static readonly TimeSpan OwnEnd = TimeSpan.FromSeconds(1);

    /// <summary>What the containers have at least, however late it is.</summary>
    public static readonly TimeSpan LeastForContainers = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan LongestLameDuck = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(10);
    private readonly long _began = time.GetTimestamp();

    /// <summary>
    /// For new connections: /readyz fails already, but they go on coming until every node has heard that the endpoint is gone, and refusing
    /// them is what a client of a rolling update would notice.
    /// </summary>
    public TimeSpan LameDuck => grace / 5 < LongestLameDuck ? grace / 5 : LongestLameDuck;

    /// <summary>For open connections, after that.</summary>
    public TimeSpan Drain => grace / 3 < LongestDrain ? grace / 3 : LongestDrain;

    /// <summary>For power-off.</summary>
    public TimeSpan PowerOff => grace / 10;

    /// <summary>For the containers, from now; never nothing.</summary>
    public TimeSpan Containers
    {
        get
        {
            // Twice the end of an enclave: its own way out, and the second that the call's deadline is behind its grace.
            var left = grace - time.GetElapsedTime(_began) - PowerOff - (OwnEnd * 2);
            return left > LeastForContainers ? left : LeastForContainers;
        }
    }
}
