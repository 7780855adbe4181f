using System.Diagnostics;
using System.Text;
using Enclaves.Tests.EndToEnd;

namespace Enclaves.Tests.Enclave.Harness;

/// <summary>A real DNS server of this test's own: dnsmasq, with names that can be changed while it runs.</summary>
internal sealed class NameServer : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringBuilder _log = new();
    private readonly Process _process;

    private NameServer(int port, int timeToLive, string hosts)
    {
        Address = $"127.0.0.1:{port}";
        File.WriteAllText(HostsFile, hosts);
        string[] arguments =
        [
            "--keep-in-foreground", $"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts", $"--addn-hosts={HostsFile}",
            $"--local-ttl={timeToLive}", "--log-queries", "--log-facility=-", "--conf-file=/dev/null", "--user=root", "--pid-file=",
        ];
        var start = new ProcessStartInfo("dnsmasq") { RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
                _log.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
    }

    /// <summary>ADDRESS:PORT.</summary>
    public string Address { get; }

    private string HostsFile => Path.Combine(_folder.Path, "hosts");

    /// <summary>Starts one.</summary>
    /// <param name="timeToLive">Of its answers, in seconds.</param>
    /// <param name="hosts">Lines of ADDRESS NAME.</param>
    public static async Task<NameServer> StartAsync(int timeToLive, string hosts)
    {
        var server = new NameServer(HostProcess.Ports.Next(), timeToLive, hosts);
        await server.UntilRead(1);
        return server;
    }

    /// <summary>Gives other answers from now on.</summary>
    public async Task ChangeAsync(string hosts)
    {
        var before = Count("read ");
        await File.WriteAllTextAsync(HostsFile, hosts);
        ProcessTable.Signal(_process.Id, 1);
        await UntilRead(before + 1);
    }

    /// <summary>How often it has been asked for a name's IPv4 addresses.</summary>
    public int Asked(string name) => Count($"query[A] {name} ");

    public Task<string> Explain() => Task.FromResult(Log);

    private string Log
    {
        get
        {
            lock (_log)
                return $"dnsmasq:\n{_log}";
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private Task UntilRead(int times) => Eventually.Holds("dnsmasq has read its names", TimeSpan.FromSeconds(30), () => Task.FromResult(Count("read ") >= times), Explain);

    private int Count(string text) => Log.Split(text).Length - 1;
}
