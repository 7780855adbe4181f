using System.Globalization;
using Enclaves.Channel;
using Enclaves.Channel.Transport;
using Enclaves.EnclaveHost.Drivers;
using Enclaves.EnclaveHost.Drivers.Nitro;
using Enclaves.EnclaveHost.Node;
using Enclaves.EnclaveHost.Options;
using Enclaves.Tests.Enclave.Harness;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace Enclaves.Tests.Enclave.Nitro;

/// <summary>
/// A folder with the program that plays nitro-cli, an image file, and drivers that use them. Enclaves are reached over a folder of sockets: the
/// kernels that the tests run on have no vsock of their own. Disposal ends whatever is left.
/// </summary>
internal sealed class StandIn : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<NitroDriver> _drivers = [];

    /// <param name="ports">Those of another one on the same node.</param>
    public StandIn(MemoryPorts? ports = null)
    {
        Ports = ports ?? new MemoryPorts();
        foreach (var folder in (string[])["run", "play", "transcripts"])
            Directory.CreateDirectory(PathOf(folder));
        var source = Path.Combine(AppContext.BaseDirectory, "Nitro");
        File.Copy(Path.Combine(source, "nitro-cli"), Program);
        File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var transcript in Directory.EnumerateFiles(Path.Combine(source, "Transcripts")))
            File.Copy(transcript, Path.Combine(PathOf("transcripts"), Path.GetFileName(transcript)));
        File.WriteAllText(PathOf("enclave.eif"), "an image");
    }

    public string Program => PathOf("nitro-cli");

    public string RunFolder => PathOf("run");

    /// <summary>The ports of the node that all drivers of this are on.</summary>
    public MemoryPorts Ports { get; }

    public LogLines Log { get; } = new();

    /// <summary>What the node has and lacks.</summary>
    public IReadOnlyList<NodeFinding> Node { get; set; } = [];

    /// <summary>The calls so far, as command lines.</summary>
    public IReadOnlyList<string> Calls => File.Exists(PathOf("calls")) ? File.ReadAllLines(PathOf("calls")) : [];

    /// <summary>How often a command was called.</summary>
    public int Count(string command) => Calls.Count(call => call.StartsWith(command, StringComparison.Ordinal));

    /// <summary>What a command does, or its call of this number.</summary>
    public void Play(string command, string script) => File.WriteAllText(Path.Combine(PathOf("play"), command), script + "\n");

    public void StopPlaying(string command) => File.Delete(Path.Combine(PathOf("play"), command));

    /// <summary>What runs in the enclave instead of nothing.</summary>
    public void PlayEnclave(string script) => File.WriteAllText(PathOf("enclave"), script + "\n");

    public EnclaveOptions Options(params string[] arguments)
    {
        string[] own = ["--driver", "nitro", "--nitro-cli", Program, "--image", PathOf("enclave.eif"), "--run-dir", RunFolder, "--memory-mib", "512"];
        var (options, problems) = EnclaveOptions.Read([.. own, .. arguments], new Dictionary<string, string>());
        problems.ShouldBeEmpty();
        return options;
    }

    public NitroDriver Driver(params string[] arguments) => Driver(Options(arguments), TimeProvider.System);

    public NitroDriver Driver(EnclaveOptions options, TimeProvider time, Action<string>? onConsole = null)
    {
        var driver = new NitroDriver(
            options, onConsole, Ports, _ => HostTransport.For(ChannelEndpoint.Directory(RunFolder, EnclavePorts.Control)), () => Node, time, new Logger<NitroDriver>(Log.Factory));
        _drivers.Add(driver);
        return driver;
    }

    /// <summary>The processes that have something of this folder in their arguments.</summary>
    public IReadOnlyList<string> Processes()
    {
        var found = new List<string>();
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                var line = File.ReadAllText($"{folder}/cmdline").Replace('\0', ' ');
                if (line.Contains(_folder.Path + "/", StringComparison.Ordinal))
                    found.Add($"{Path.GetFileName(folder)} {line}");
            }
            catch (IOException)
            {
                // It ended between the listing and the reading.
            }
        }

        return found;
    }

    /// <summary>The id of the enclave process of a running enclave.</summary>
    public static int ProcessOf(IRunningEnclave enclave) => enclave.Description.ProcessIds.ShouldHaveSingleItem();

    public string PathOf(string name) => Path.Combine(_folder.Path, name);

    public async ValueTask DisposeAsync()
    {
        foreach (var driver in _drivers)
            driver.Dispose();
        for (var round = 0; round < 100 && Processes() is { Count: > 0 } left; round++)
        {
            foreach (var process in left)
                KillIfAlive(int.Parse(process.Split(' ')[0], CultureInfo.InvariantCulture));
            await Task.Delay(20);
        }

        _folder.Dispose();
    }

    private static void KillIfAlive(int process)
    {
        try
        {
            ProcessTable.Signal(process, ProcessTable.SigKill);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in the meantime, which is all that is wanted.
        }
    }
}

/// <summary>Ports of a node that is this process.</summary>
internal sealed class MemoryPorts : INodePorts
{
    private readonly HashSet<uint> _taken = [];

    public IDisposable? TryTake(uint port)
    {
        lock (_taken)
            return _taken.Add(port) ? new Held(_taken, port) : null;
    }

    private sealed class Held(HashSet<uint> taken, uint port) : IDisposable
    {
        public void Dispose()
        {
            lock (taken)
                taken.Remove(port);
        }
    }
}

/// <summary>The lines of a log.</summary>
internal sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly List<string> _lines = [];

    public LogLines() => Factory = LoggerFactory.Create(logging => logging.AddProvider(this));

    public ILoggerFactory Factory { get; }

    public string Text
    {
        get
        {
            lock (_lines)
                return string.Join('\n', _lines);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
            _lines.Add($"{logLevel}: {formatter(state, exception)} {exception}");
    }

    public void Dispose()
    {
        // Nothing to give back.
    }
}

/// <summary>A clock whose timers are over sooner, for waits that are only long.</summary>
internal sealed class HurriedTime(int times) : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / times : dueTime, period);

    public override long GetTimestamp() => base.GetTimestamp() * times;
}
