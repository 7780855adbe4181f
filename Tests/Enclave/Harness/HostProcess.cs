using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.EndToEnd;
using Shouldly;

namespace Enclaves.Tests.Enclave.Harness;

/// <summary>
/// EnclaveHost as a process, with folders, a manifest and ports of its own. Disposal kills whatever the test started and whatever that
/// started, found by a marker in the environment, and removes the folders.
/// </summary>
internal sealed class HostProcess : IAsyncDisposable
{
    /// <summary>Ports for whatever is not an ingress.</summary>
    public static readonly FreePorts Ports = new(21000, 23999);

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(15) };
    private readonly StringBuilder _output = new();
    private readonly TemporaryFolder _folder;
    private readonly Process _process;

    private HostProcess(TemporaryFolder folder, int httpPort, string marker, ProcessStartInfo start)
    {
        _folder = folder;
        HttpPort = httpPort;
        Marker = marker;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += Collect;
        _process.ErrorDataReceived += Collect;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int HttpPort { get; }

    public string Marker { get; }

    public int Id => _process.Id;

    public string RunFolder => Path.Combine(_folder.Path, "run");

    public string TerminationMessage => File.ReadAllText(Path.Combine(_folder.Path, "termination-log"));

    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Starts EnclaveHost.</summary>
    /// <param name="manifest">Canonical bytes of the manifest.</param>
    /// <param name="marker">Marker of the processes; the manifest's containers have it in their environment as well.</param>
    /// <param name="arguments">Options besides folders and ports.</param>
    public static HostProcess Start(byte[] manifest, string marker, params string[] arguments) => Start(manifest, marker, [], arguments);

    /// <summary>Starts EnclaveHost with mounted Secrets, by SECRET/KEY.</summary>
    public static HostProcess Start(byte[] manifest, string marker, (string Path, string Value)[] secrets, string[] arguments)
    {
        var folder = new TemporaryFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, "run"));
        File.WriteAllBytes(Path.Combine(folder.Path, "manifest.json"), manifest);
        File.WriteAllText(Path.Combine(folder.Path, "termination-log"), "");
        foreach (var (path, value) in secrets)
            WriteSecret(folder, path, value);
        var port = Ports.Next();
        var start = new ProcessStartInfo(Programs.EnclaveHost) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[ProcessTable.Marker] = marker;
        string[] own =
        [
            "--manifest", Path.Combine(folder.Path, "manifest.json"), "--run-dir", Path.Combine(folder.Path, "run"),
            "--secrets-dir", Path.Combine(folder.Path, "secrets"), "--termination-message", Path.Combine(folder.Path, "termination-log"),
            "--http-bind", "127.0.0.1", "--http-port", port.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ];
        foreach (var argument in own.Concat(arguments))
            start.ArgumentList.Add(argument);
        return new HostProcess(folder, port, marker, start);
    }

    /// <summary>The address that stands for a host name inside the enclave.</summary>
    public IPAddress AddressInside(string host) => IPAddress.Parse(
        Directory.EnumerateFiles(RunFolder, "hosts", SearchOption.AllDirectories).SelectMany(File.ReadAllLines).Select(line => line.Split(' ')).Single(line => line[1] == host)[0]);

    /// <summary>Changes a mounted Secret, SECRET/KEY, in one step as a kubelet does.</summary>
    public void WriteSecret(string path, string value) => WriteSecret(_folder, path, value);

    private static void WriteSecret(TemporaryFolder folder, string path, string value)
    {
        var file = Path.Combine(folder.Path, "secrets", path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var draft = Path.Combine(Path.GetDirectoryName(file)!, "..draft");
        File.WriteAllText(draft, value);
        File.Move(draft, file, overwrite: true);
    }

    public async Task<HttpStatusCode> ReadyzAsync()
    {
        using var reply = await _client.GetAsync($"http://127.0.0.1:{HttpPort}/readyz");
        return reply.StatusCode;
    }

    public async Task<JsonNode> StatusAsync() => JsonNode.Parse(await _client.GetStringAsync($"http://127.0.0.1:{HttpPort}/status"))!;

    public async Task<string> MetricsAsync() => await _client.GetStringAsync($"http://127.0.0.1:{HttpPort}/metrics");

    /// <summary>One request through the ingress, over a connection of its own.</summary>
    public static async Task<string> AskAsync(int port, string path = "/")
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(15) };
        return await client.GetStringAsync($"http://127.0.0.1:{port}{path}");
    }

    public Task UntilReadyAsync(TimeSpan limit) => UntilReadyzAsync(HttpStatusCode.OK, limit);

    public Task UntilReadyzAsync(HttpStatusCode code, TimeSpan limit) =>
        Eventually.Holds($"/readyz says {(int)code}", limit, async () => await ReadyzAsync() == code, Explain);

    public Task UntilStateAsync(string state, TimeSpan limit) =>
        Eventually.Holds($"state {state}", limit, async () => (string?)(await StatusAsync())["state"] == state, Explain);

    /// <summary>Until it is the boot of this number that is Running.</summary>
    public Task UntilBootRunsAsync(int boot, TimeSpan limit) => Eventually.Holds($"boot {boot} is running", limit, async () =>
    {
        var status = await StatusAsync();
        return (int?)status["boots"] == boot && (string?)status["state"] == "Running";
    }, Explain);

    /// <summary>Its exit code.</summary>
    public async Task<int> ExitAsync(TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"EnclaveHost has not ended within {limit.TotalSeconds} s\n{Output}");
        }

        return _process.ExitCode;
    }

    /// <summary>All living processes of this test.</summary>
    public IReadOnlyList<TestProcess> Processes() => ProcessTable.Of(Marker);

    /// <summary>The one living process of this name.</summary>
    public TestProcess Child(string name) => Processes().Where(p => p.Name == name && p.Id != Id).ShouldHaveSingleItem();

    public Task UntilNothingIsLeftAsync(TimeSpan limit) =>
        Eventually.Holds("no process is left", limit, () => Task.FromResult(Processes().Count == 0),
            () => Task.FromResult(string.Join(", ", Processes())));

    public void Signal(int signal) => ProcessTable.Signal(Id, signal);

    /// <summary>For messages of a test that failed.</summary>
    public Task<string> Explain() => Task.FromResult($"processes: {string.Join(", ", Processes())}\noutput:\n{Output}");

    public async ValueTask DisposeAsync()
    {
        // More than one round: what is killed may have started something a moment before.
        for (var round = 0; round < 100 && Processes() is { Count: > 0 } left; round++)
        {
            foreach (var process in left)
                KillIfAlive(process.Id);
            await Task.Delay(20);
        }

        _process.WaitForExit(TimeSpan.FromSeconds(5));
        _process.Dispose();
        _client.Dispose();
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

    private void Collect(object sender, DataReceivedEventArgs e)
    {
        lock (_output)
        {
            if (e.Data is not null && _output.Length < 1024 * 1024)
                _output.AppendLine(e.Data);
        }
    }
}
