using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Drivers;

namespace Enclaves.EnclaveHost.Session;

/// <summary>What a health check came to.</summary>
/// <param name="At">When.</param>
/// <param name="Healthy">The Orchestrator's answer; false also when there was none.</param>
/// <param name="Reason">CamelCase; empty while all is well.</param>
/// <param name="Message">One sentence.</param>
internal sealed record HealthView(DateTimeOffset At, bool Healthy, string Reason, string Message);

/// <summary>
/// What is known of the present enclave, written by its session and read by /status. Each part is replaced as a whole, so a reader never
/// sees half of one.
/// </summary>
internal sealed class EnclaveView
{
    private volatile EnclaveDescription? _description;
    private volatile HelloReply? _hello;
    private volatile PutManifestReply? _manifest;
    private volatile EnclaveStatus? _status;
    private volatile HealthView? _health;

    public EnclaveDescription? Description => _description;

    public HelloReply? Hello
    {
        get => _hello;
        set => _hello = value;
    }

    public PutManifestReply? Manifest
    {
        get => _manifest;
        set => _manifest = value;
    }

    public EnclaveStatus? Status
    {
        get => _status;
        set => _status = value;
    }

    public HealthView? Health
    {
        get => _health;
        set => _health = value;
    }

    /// <summary>Another enclave: nothing of the one before is true of it.</summary>
    public void Begin(EnclaveDescription? description)
    {
        _description = description;
        _hello = null;
        _manifest = null;
        _status = null;
        _health = null;
    }
}
