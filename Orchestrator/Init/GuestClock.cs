using System.Runtime.InteropServices;

namespace Enclaves.Orchestrator.Init;

/// <summary>
/// Sets the enclave's clock from the host's, once: certificates cannot be checked without one. The host is not trusted with time, so a
/// second step is never taken and a date that cannot be right is refused.
/// </summary>
internal sealed class GuestClock(Action<DateTimeOffset> set)
{
    private static readonly DateTimeOffset Earliest = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Latest = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private bool _settled;

    /// <summary>Takes the host's time over where it differs by more than a second. Returns the size of the step, zero for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The date cannot be right.</exception>
    public TimeSpan Offer(DateTimeOffset host, DateTimeOffset own)
    {
        lock (_lock)
        {
            if (_settled)
                return TimeSpan.Zero;
            if (host < Earliest || host > Latest)
                throw new ArgumentOutOfRangeException(nameof(host), $"the host's clock says {host:u}, believable is {Earliest:u} to {Latest:u}; set the host's clock");
            _settled = true;
            var step = host - own;
            if (step.Duration() <= Tolerance)
                return TimeSpan.Zero;
            set(host);
            return step;
        }
    }

    /// <summary>Sets the kernel's clock.</summary>
    public static void SetKernelClock(DateTimeOffset time)
    {
        var sinceEpoch = time - DateTimeOffset.UnixEpoch;
        var value = new Libc.Timespec
        {
            Seconds = sinceEpoch.Ticks / TimeSpan.TicksPerSecond,
            Nanoseconds = sinceEpoch.Ticks % TimeSpan.TicksPerSecond * 100,
        };
        if (Libc.ClockSetTime(Libc.ClockRealtime, value) < 0)
            throw new IOException($"set the clock: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
