namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// By how much this process is late for its own appointments, measured by a timer for as long as the object lives. A process that was
/// paused or gets no processor reads an answer late that came in time, and must not blame who has answered.
/// </summary>
internal sealed class OwnDelay : IDisposable
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _period;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private long _last;
    private TimeSpan _longest;

    /// <summary>Measures from now on, with an appointment each period.</summary>
    public OwnDelay(TimeProvider time, TimeSpan period)
    {
        (_time, _period, _last) = (time, period, time.GetTimestamp());
        _timer = time.CreateTimer(_ => Look(), null, period, period);
    }

    /// <summary>The longest delay so far, that of an appointment which is overdue included.</summary>
    public TimeSpan Longest
    {
        get
        {
            lock (_gate)
            {
                var overdue = _time.GetElapsedTime(_last) - _period;
                return overdue > _longest ? overdue : _longest;
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        lock (_gate)
        {
            var late = _time.GetElapsedTime(_last) - _period;
            _last = _time.GetTimestamp();
            if (late > _longest)
                _longest = late;
        }
    }
}
