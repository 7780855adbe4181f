using System.Diagnostics;
using System.Globalization;

namespace Enclaves.EnclaveHost.Lifecycle;

/// <summary>
/// How long each step of a start took, said once a boot, in one line, when the enclave is Running for the first time. The first boot counts
/// from the start of this program, later ones from their own beginning.
/// </summary>
/// <remarks>
/// <code>
///   program: until the boot begins       hello:      until the Orchestrator has answered
///   driver:  until it is powered on      manifest:   until it is sealed inside
///   connect: until its port accepts      containers: until all is well
/// </code>
/// </remarks>
internal sealed partial class StartTimes
{
    private readonly TimeProvider _time;
    private readonly ILogger<StartTimes> _logger;
    private readonly Lock _gate = new();
    private readonly List<string> _steps = [];
    private long? _program;
    private long _began;
    private long _last;
    private bool _said = true;

    /// <summary>Follows the moves of the state from here on.</summary>
    /// <param name="sinceProgramStart">How long this program has run at this moment.</param>
    /// <param name="state">Whose moves end most of the steps.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Takes the line.</param>
    public StartTimes(TimeSpan sinceProgramStart, EnclaveStateMachine state, TimeProvider time, ILogger<StartTimes> logger)
    {
        _time = time;
        _logger = logger;
        _program = time.GetTimestamp() - (long)(sinceProgramStart.TotalSeconds * time.TimestampFrequency);
        state.Moved += OnMoved;
    }

    /// <summary>How long this program has run; the kernel counts in hundredths of a second.</summary>
    public static TimeSpan SinceProgramStart()
    {
        using var self = Process.GetCurrentProcess();
        return DateTime.Now - self.StartTime;
    }

    /// <summary>The driver has powered the enclave on.</summary>
    public void PoweredOn() => End("driver");

    /// <summary>The Orchestrator's port accepts connections.</summary>
    public void Connected() => End("connect");

    private void OnMoved(Transition move)
    {
        switch (move.To)
        {
            case EnclaveState.Booting:
                Begin();
                break;
            case EnclaveState.Booted:
                End("hello");
                break;
            case EnclaveState.ManifestSynced:
                End("manifest");
                break;
            case EnclaveState.Running:
                End("containers");
                Say();
                break;
        }
    }

    private void Begin()
    {
        lock (_gate)
        {
            _steps.Clear();
            _said = false;
            _began = _last = _program ?? _time.GetTimestamp();
            if (_program is not null)
                Add("program");
            _program = null;
        }
    }

    private void End(string step)
    {
        lock (_gate)
        {
            // What comes after the line is no part of the start: a session made anew, an enclave that is well again.
            if (!_said)
                Add(step);
        }
    }

    private void Add(string step)
    {
        var now = _time.GetTimestamp();
        _steps.Add(string.Create(CultureInfo.InvariantCulture, $"{step} {Milliseconds(_last, now)}"));
        _last = now;
    }

    private void Say()
    {
        lock (_gate)
        {
            if (_said)
                return;
            _said = true;
            var (whole, steps) = (Milliseconds(_began, _last), string.Join(", ", _steps));
            LogReady(whole, steps);
        }
    }

    private long Milliseconds(long from, long to) => (long)Math.Round(_time.GetElapsedTime(from, to).TotalMilliseconds);

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "ready in {Milliseconds} ms: {Steps}")]
    private partial void LogReady(long milliseconds, string steps);
}
