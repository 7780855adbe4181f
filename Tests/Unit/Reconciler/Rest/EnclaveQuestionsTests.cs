using System.Net;
using System.Net.Sockets;
using Enclaves.Reconciler.Health;
using Enclaves.Reconciler.Rest.Reading;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

/// <summary>Against EnclaveHosts that take every connection, and answer when a test lets them.</summary>
public sealed class EnclaveQuestionsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly RestNeds _neds = new();
    private readonly TcpListener _host = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> _connections = [];
    private readonly EnclaveStatusReader _reader = new();
    private readonly EnclaveStatuses _statuses;
    private readonly EnclaveQuestions _questions;
    private int _asked;

    public EnclaveQuestionsTests()
    {
        _host.Start(1000);
        _ = AcceptAsync();
        _statuses = new EnclaveStatuses(_reader, _neds.Stores, _time, _ => (IPEndPoint)_host.LocalEndpoint);
        _questions = new EnclaveQuestions(_statuses, _time);
    }

    public void Dispose()
    {
        _host.Dispose();
        lock (_connections)
            _connections.ForEach(connection => connection.Dispose());
        _questions.Dispose();
        _statuses.Dispose();
        _reader.Dispose();
    }

    [Fact]
    public async Task A_thousand_that_are_silent_keep_nobody_waiting_and_take_few_places()
    {
        var pods = Enumerable.Range(0, 1000).Select(number => _neds.PutPod("a", "one", $"pod-{number}")).ToList();
        var calls = Enumerable.Range(0, 4).Select(_ => _questions.AskAsync(pods, TestContext.Current.CancellationToken)).ToList();
        await RestHost.Until(() => Volatile.Read(ref _asked) > 0);
        _time.Advance(TimeSpan.FromSeconds(5));
        foreach (var reports in await Task.WhenAll(calls).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken))
        {
            reports.Count.ShouldBe(1000);
            reports.Values.ShouldAllBe(report => report.Failure != null);
        }

        _asked.ShouldBeInRange(1, 16);
    }

    [Fact]
    public async Task Where_there_is_no_time_to_ask_what_was_said_before_is_told()
    {
        var pods = Enumerable.Range(0, 40).Select(number => _neds.PutPod("a", "one", $"pod-{number}")).ToList();
        var asking = _statuses.AskAsync(pods[39], TestContext.Current.CancellationToken);
        await RestHost.Until(() => Volatile.Read(ref _asked) == 1);
        Answer("""{"state":"Running"}""");
        (await asking).ShouldNotBeNull().Status!.State.ShouldBe("Running");
        _time.Advance(TimeSpan.FromSeconds(2));
        var call = _questions.AskAsync(pods, TestContext.Current.CancellationToken);
        await RestHost.Until(() => Volatile.Read(ref _asked) > 1);
        _time.Advance(TimeSpan.FromSeconds(5));
        (await call)[pods[39].Uid].Status!.State.ShouldBe("Running");
    }

    [Fact]
    public async Task Whoever_goes_away_ends_it()
    {
        var pods = Enumerable.Range(0, 1000).Select(number => _neds.PutPod("a", "one", $"pod-{number}")).ToList();
        using var gone = new CancellationTokenSource();
        var call = _questions.AskAsync(pods, gone.Token);
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task Each_is_asked_at_most_once_a_second()
    {
        var pod = _neds.PutPod("a", "one", "pod");
        var all = Enumerable.Range(0, 10).Select(_ => _statuses.AskAsync(pod, TestContext.Current.CancellationToken)).ToList();
        await RestHost.Until(() => Volatile.Read(ref _asked) == 1);
        Answer("""{"state":"Running"}""");
        (await Task.WhenAll(all)).ShouldAllBe(report => report!.Status!.State == "Running");
        _time.Advance(TimeSpan.FromMilliseconds(999));
        (await _statuses.AskAsync(pod, TestContext.Current.CancellationToken))!.Status!.State.ShouldBe("Running");
        _asked.ShouldBe(1);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        var again = _statuses.AskAsync(pod, TestContext.Current.CancellationToken);
        await RestHost.Until(() => Volatile.Read(ref _asked) == 2);
        Answer("""{"state":"Unhealthy"}""");
        (await again)!.Status!.State.ShouldBe("Unhealthy");
    }

    // To whoever has asked last.
    private void Answer(string status)
    {
        lock (_connections)
            _connections[^1].GetStream().Write(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {status.Length}\r\nConnection: close\r\n\r\n{status}"));
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var connection = await _host.AcceptTcpClientAsync();
                lock (_connections)
                    _connections.Add(connection);
                Interlocked.Increment(ref _asked);
            }
        }
        catch (Exception ended) when (ended is ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }
}
