namespace Enclaves.EnclaveHost.Lifecycle;

/// <summary>
/// The state of the enclave: who may move where, since when, and why. A move that the diagram does not have is refused, which
/// is how a health check that comes back late loses against a stop. Thread-safe.
/// </summary>
/// <remarks>
/// <code>
///   process starts     qemu runs      Hello answered   manifest sealed      first healthy answer
///   Starting ────────▶ Booting ─────▶ Booted ────────▶ ManifestSynced ────▶ Running ◀──────▶ Unhealthy
///      ▲                  │              │                   │                 │   no answer      │
///      │                  │              │                   │                 │   N times, or    │
///      └──────────────────┴──────────────┴───────────────────┴─────────────────┘   "not healthy"  │
///      ▲      the enclave ended: wait with back-off, then boot again (at most max-boots in a row) │
///      └──────────────────────────────────────────────────────────────────────────────────────────┘
///
///   any state but a final one ──▶ Stopping ──▶ Stopped          SIGTERM
///   any state but a final one ──▶ Failed                        nothing that another try could mend
/// </code>
/// /readyz answers 200 in Running only. Each move is one line of log and one count.
/// </remarks>
internal sealed partial class EnclaveStateMachine(TimeProvider time, ILogger<EnclaveStateMachine> logger)
{
    private const int HistoryLength = 32;

    // Much of what is said here are the enclave's own words, which are kept, shown and logged. A termination message holds as much.
    private const int MaxReason = 64;
    private const int MaxMessage = 4096;

    private static readonly Dictionary<EnclaveState, EnclaveState[]> Arrows = new()
    {
        [EnclaveState.Starting] = [EnclaveState.Booting],
        [EnclaveState.Booting] = [EnclaveState.Booted, EnclaveState.Starting],
        [EnclaveState.Booted] = [EnclaveState.ManifestSynced, EnclaveState.Starting],
        [EnclaveState.ManifestSynced] = [EnclaveState.Running, EnclaveState.Starting],
        [EnclaveState.Running] = [EnclaveState.Unhealthy, EnclaveState.Starting],
        [EnclaveState.Unhealthy] = [EnclaveState.Running, EnclaveState.Starting],
        [EnclaveState.Stopping] = [EnclaveState.Stopped],
        [EnclaveState.Stopped] = [],
        [EnclaveState.Failed] = [],
    };

    private readonly Lock _gate = new();
    private readonly Queue<Transition> _history = new();
    private readonly SortedDictionary<(EnclaveState From, EnclaveState To), long> _counts = [];
    private Transition _last = new(EnclaveState.Starting, EnclaveState.Starting, time.GetUtcNow(), "Started", "");
    private PhaseTimes _phases = new(null, null, null, null);

    /// <summary>Raised after each move, in order, on the mover's thread; handlers must not block and must not move the state.</summary>
    public event Action<Transition>? Moved;

    /// <summary>The present state.</summary>
    public EnclaveState State => Last.To;

    /// <summary>The move that led to the present state.</summary>
    public Transition Last
    {
        get
        {
            lock (_gate)
                return _last;
        }
    }

    /// <summary>When the phases of the present boot began.</summary>
    public PhaseTimes Phases
    {
        get
        {
            lock (_gate)
                return _phases;
        }
    }

    /// <summary>Boots so far.</summary>
    public long Boots
    {
        get
        {
            lock (_gate)
                return _counts.GetValueOrDefault((EnclaveState.Starting, EnclaveState.Booting));
        }
    }

    /// <summary>The last 32 moves, oldest first.</summary>
    public IReadOnlyList<Transition> History()
    {
        lock (_gate)
            return [.. _history];
    }

    /// <summary>How often each arrow was taken.</summary>
    public IReadOnlyList<(EnclaveState From, EnclaveState To, long Count)> Counts()
    {
        lock (_gate)
            return [.. _counts.Select(c => (c.Key.From, c.Key.To, c.Value))];
    }

    /// <summary>Moves if there is such an arrow; false, and nothing happens, if not.</summary>
    public bool TryMove(EnclaveState to, string reason, string message = "")
    {
        lock (_gate)
        {
            var from = _last.To;
            if (!Allows(from, to))
                return false;
            var now = time.GetUtcNow();
            var held = now - _last.At;
            (reason, message) = (Cut(reason, MaxReason), Cut(message, MaxMessage));
            _last = new Transition(from, to, now, reason, message);
            _phases = Advance(_phases, to, now);
            _counts[(from, to)] = _counts.GetValueOrDefault((from, to)) + 1;
            _history.Enqueue(_last);
            if (_history.Count > HistoryLength)
                _history.Dequeue();
            LogMoved(from, to, reason, message, (long)held.TotalMilliseconds);
            // Under the lock, so that nobody sees two moves in the wrong order.
            Moved?.Invoke(_last);
            return true;
        }
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];

    private static bool Allows(EnclaveState from, EnclaveState to) => to switch
    {
        EnclaveState.Stopping => from is not (EnclaveState.Stopping or EnclaveState.Stopped or EnclaveState.Failed),
        EnclaveState.Failed => from is not (EnclaveState.Stopped or EnclaveState.Failed),
        _ => Arrows[from].Contains(to),
    };

    private static PhaseTimes Advance(PhaseTimes phases, EnclaveState to, DateTimeOffset now) => to switch
    {
        EnclaveState.Booting => new PhaseTimes(now, null, null, null),
        EnclaveState.Booted => phases with { Booted = now },
        EnclaveState.ManifestSynced => phases with { ManifestSynced = now },
        // The first time only: later ones are recoveries, not part of the start.
        EnclaveState.Running => phases with { Running = phases.Running ?? now },
        _ => phases,
    };

    [LoggerMessage(EventId = 1, Level = LogLevel.Information,
        Message = "state {From} -> {To}: {Reason} {Detail} (held {HeldMilliseconds} ms)")]
    private partial void LogMoved(EnclaveState from, EnclaveState to, string reason, string detail, long heldMilliseconds);
}
