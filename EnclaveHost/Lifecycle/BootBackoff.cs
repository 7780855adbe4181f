namespace Enclaves.EnclaveHost.Lifecycle;

/// <summary>
/// How long to wait before an enclave is booted again: 1 s doubling to 60 s, at most <paramref name="maxBoots"/> boots in a row.
/// A boot that reached ten minutes of life ends the row, as for a kubelet's restarts.
/// </summary>
internal sealed class BootBackoff(int maxBoots)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Lasting = TimeSpan.FromMinutes(10);
    private int _inARow;

    /// <summary>Boots in the present row.</summary>
    public int InARow => _inARow;

    /// <summary>Tells of an enclave that ended after this life; answers the wait before the next boot, or null when there is to be none.</summary>
    public TimeSpan? Next(TimeSpan lived)
    {
        _inARow = lived >= Lasting ? 1 : _inARow + 1;
        if (_inARow >= maxBoots)
            return null;
        var wait = First * Math.Pow(2, Math.Min(_inARow - 1, 16));
        return wait < Longest ? wait : Longest;
    }
}
