using Enclaves.Channel;
using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Node;
using Enclaves.EnclaveHost.Options;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>AWS Nitro Enclaves, by nitro-cli. The folder of its sockets is this pod's own, so every enclave that it lists is ours.</summary>
internal sealed partial class NitroDriver : IEnclaveDriver, IDisposable
{
    private const int Tries = 4;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ClearTime = TimeSpan.FromSeconds(30);

    // What an enclave in debug mode attests, whatever is in its image; nitro-cli tells the image's registers all the same.
    private static readonly ImageMeasurements DebugMeasurements = new(new string('0', 96), new string('0', 96), new string('0', 96));

    private readonly EnclaveOptions _options;
    private readonly Action<string>? _onConsole;
    private readonly TimeProvider _time;
    private readonly ILogger<NitroDriver> _logger;
    private readonly Func<IReadOnlyList<NodeFinding>> _look;
    private readonly NitroCli _cli;
    private readonly BootLock _lock;
    private readonly Lazy<CidClaim> _claim;
    private readonly Lazy<IHostTransport> _transport;

    /// <param name="options">Sizes, image, folders.</param>
    /// <param name="onConsole">Takes the console's lines; null for an enclave whose console nobody can read.</param>
    /// <param name="ports">The node's.</param>
    /// <param name="connect">Makes the way to an enclave of a CID.</param>
    /// <param name="look">Finds out what the node has and lacks.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Takes the log.</param>
    internal NitroDriver(
        EnclaveOptions options, Action<string>? onConsole, INodePorts ports, Func<uint, IHostTransport> connect, Func<IReadOnlyList<NodeFinding>> look,
        TimeProvider time, ILogger<NitroDriver> logger)
    {
        (_options, _onConsole, _look, _time, _logger) = (options, onConsole, look, time, logger);
        _cli = new NitroCli(options, time);
        _lock = new BootLock(ports, time, logger);
        // Not before it is needed: that there is no vsock is then told as any other reason why nothing can listen.
        _claim = new Lazy<CidClaim>(() => CidClaim.Take(ports));
        _transport = new Lazy<IHostTransport>(() => connect(Cid));
    }

    /// <summary>The driver for the enclaves of this machine.</summary>
    public NitroDriver(EnclaveOptions options, Action<string>? onConsole, TimeProvider time, ILogger<NitroDriver> logger)
        : this(
            options, onConsole, new VsockNodePorts(), cid => HostTransport.For(ChannelEndpoint.Vsock(cid, EnclavePorts.Control)), () => NodeCommands.Look(options),
            time, logger)
    {
    }

    public string Name => "nitro";

    // The console of an enclave in debug mode can be read, and it attests nothing.
    public bool IsConfidential => !_options.Debug;

    public uint Cid => _claim.Value.Cid;

    public IHostTransport Transport => _transport.Value;

    public async Task<IRunningEnclave> StartAsync(CancellationToken cancellation)
    {
        if (!File.Exists(_options.ImagePath))
            throw new EnclaveStartException($"the enclave image {_options.ImagePath} is missing; say with --image where it is");
        try
        {
            await ClearAsync(cancellation);
            var run = await BootAsync(cancellation);
            try
            {
                return await TakeOverAsync(run, cancellation);
            }
            catch
            {
                await EndUnwantedAsync(run);
                throw;
            }
        }
        catch (NitroException e)
        {
            throw new EnclaveStartException(e.Message + WhatTheNodeLacks(), e);
        }
    }

    public void Dispose()
    {
        if (_claim.IsValueCreated)
            _claim.Value.Dispose();
    }

    // nitro-cli's words often name the last thing that failed, and not what is missing.
    private string WhatTheNodeLacks()
    {
        try
        {
            var lacks = _look().Where(finding => finding.Problem is not null).Select(finding => $"{finding.What} {finding.Problem} ({finding.Remedy})").ToList();
            return lacks.Count == 0 ? "" : $"; of what the node should have, {string.Join("; ", lacks)}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    // Enclaves that an earlier process of this pod left behind: they have the node's memory and CPUs.
    private async Task ClearAsync(CancellationToken cancellation)
    {
        foreach (var left in await _cli.DescribeAsync(cancellation))
        {
            LogLeft(left.Id, left.State, left.Cid);
            await EnclaveEnd.BringAboutAsync(_cli, left.Id, EnclaveProcess.Find(left.ProcessId), ClearTime, _time, cancellation);
        }
    }

    private async Task<NitroRun> BootAsync(CancellationToken cancellation)
    {
        var request = new NitroRequest($"enclave-{Cid}", Cid, _options.ImagePath, _options.CpuCount, _options.MemoryMib, _options.Debug);
        var wait = FirstWait;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await BootOnceAsync(request, cancellation);
            }
            catch (NitroException e) when (e.IsPassing && attempt < Tries)
            {
                LogAgain(attempt, Tries, e.Message, (int)wait.TotalMilliseconds);
                // Those that failed by the same collision must not collide again.
                await Task.Delay(wait * (0.75 + (Random.Shared.NextDouble() / 2)), _time, cancellation);
                wait = wait.Doubled(LongestWait);
            }
        }
    }

    private async Task<NitroRun> BootOnceAsync(NitroRequest request, CancellationToken cancellation)
    {
        using var held = await _lock.TakeAsync(cancellation);
        try
        {
            return await _cli.RunAsync(request, _options.BootTimeout, cancellation);
        }
        catch
        {
            // Whatever went wrong, and before somebody else boots: nothing of it may go on.
            if (await EnclaveProcess.KillAllAsync(request.Name) is > 0 and var count)
                LogCutOff(count);
            throw;
        }
    }

    private async Task<IRunningEnclave> TakeOverAsync(NitroRun run, CancellationToken cancellation)
    {
        // The listeners of egress take connections of this CID only, and their port was told by it.
        if (run.Cid != Cid)
            throw new NitroException($"enclave {run.Id} was to have CID {Cid} and has {run.Cid}; to mend it: use a nitro-cli that knows --enclave-cid");
        var described = (await _cli.DescribeAsync(cancellation)).FirstOrDefault(enclave => enclave.Id == run.Id)
            ?? throw new NitroException($"enclave {run.Id} ended as soon as it had booted; to mend it: see its console with spec.enclave.debugMode");
        if (!described.IsRunning)
            throw new NitroException($"enclave {run.Id} is {described.State} as soon as it has booted; to mend it: see its console with spec.enclave.debugMode");
        var isDebug = described.Flags.Contains("DEBUG_MODE", StringComparison.Ordinal);
        if (isDebug != _options.Debug)
            throw new NitroException(
                $"enclave {run.Id} has the flags {described.Flags}, which are not those that were asked for; to mend it: use the nitro-cli that EnclaveHost was released with");
        var measurements = isDebug ? DebugMeasurements : NitroReplies.ReadMeasurements(described);
        LogBooted(run.Id, run.Cid, run.CpuCount, run.MemoryMib, measurements?.Pcr0 ?? "not told", isDebug ? "; DEBUG MODE, NOT confidential" : "");
        var description = new EnclaveDescription(
            run.Id, run.Cid, run.CpuCount, run.MemoryMib, [run.ProcessId],
            isDebug ? "AWS Nitro Enclave in debug mode: its console can be read and it attests zeros, so it is not confidential" : "AWS Nitro Enclave",
            measurements);
        return new NitroEnclave(_cli, description, isDebug ? _onConsole : null, _time, _logger);
    }

    private async Task EndUnwantedAsync(NitroRun run)
    {
        try
        {
            await EnclaveEnd.BringAboutAsync(_cli, run.Id, EnclaveProcess.Find(run.ProcessId), ClearTime, _time, CancellationToken.None);
        }
        catch (NitroException e)
        {
            // The reason why it is unwanted is on its way already; the next boot clears it away or says why not.
            LogStays(run.Id, e.Message);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "enclave {Id} has booted: CID {Cid}, {Cpus} CPUs, {MemoryMib} MiB, PCR0 {Pcr0}{Debug}")]
    private partial void LogBooted(string id, uint cid, int cpus, int memoryMib, string pcr0, string debug);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "enclave {Id} ({State}, CID {Cid}) is of an earlier start of this pod and is ended")]
    private partial void LogLeft(string id, string state, uint cid);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning,
        Message = "boot, try {Attempt} of {Tries}: {Reason}; the next try follows in about {WaitMilliseconds} ms")]
    private partial void LogAgain(int attempt, int tries, string reason, int waitMilliseconds);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "{Count} processes of a boot that failed went on, and were killed")]
    private partial void LogCutOff(int count);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "enclave {Id} could not be ended: {Reason}")]
    private partial void LogStays(string id, string reason);
}
