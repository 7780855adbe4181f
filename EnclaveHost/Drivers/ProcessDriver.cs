using Enclaves.Channel;
using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Options;

namespace Enclaves.EnclaveHost.Drivers;

/// <summary>
/// The Orchestrator as a child process that runs the containers' commands as processes of this very system, for demonstrations and tests.
/// Nothing is isolated from anything.
/// </summary>
internal sealed class ProcessDriver(EnclaveOptions options, Action<string>? onConsole) : IEnclaveDriver
{
    private readonly ChannelEndpoint _control = ChannelEndpoint.Directory(Path.GetFullPath(options.RunFolder), EnclavePorts.Control);

    public string Name => "process";

    public bool IsConfidential => false;

    public uint Cid => 16;

    public IHostTransport Transport => field ??= HostTransport.For(_control);

    public async Task<IRunningEnclave> StartAsync(CancellationToken cancellation)
    {
        if (!File.Exists(options.OrchestratorPath))
            throw new EnclaveStartException($"{options.OrchestratorPath} is missing; say with --orchestrator where the program is");
        foreach (var socket in Directory.EnumerateFiles(options.RunFolder, "guest_*"))
            File.Delete(socket);
        string[] arguments = ["--listen", _control.ToString(), "--runtime", "process"];
        var child = await ChildProcess.StartAsync("orchestrator", options.OrchestratorPath, arguments, new ConsoleLog(onConsole));
        return new RunningProcess(child, new EnclaveDescription(
            $"process-{child.Id}", Cid, options.CpuCount, options.MemoryMib, [child.Id], "local processes without isolation; for demonstrations and tests"));
    }

    private sealed class RunningProcess(ChildProcess child, EnclaveDescription description) : IRunningEnclave
    {
        public EnclaveDescription Description => description;

        public Task<string> Exited { get; } = WatchAsync(child);

        public Task StopAsync(TimeSpan grace) => child.StopAsync(grace);

        public ValueTask DisposeAsync() => child.DisposeAsync();

        private static async Task<string> WatchAsync(ChildProcess child) => child.Obituary(await child.Exited);
    }
}
