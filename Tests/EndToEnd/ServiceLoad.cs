using System.Collections.Concurrent;
using System.Diagnostics;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>A request to the Service and what it came to; of the sample's answer, the boot id tells which enclave gave it.</summary>
internal sealed record LoadedRequest(TimeSpan Began, string? Answer, string Error)
{
    public bool Failed => Answer is null;

    public bool CameFrom(string bootId) => Answer?.Contains(bootId, StringComparison.Ordinal) == true;
}

/// <summary>A steady load on a Service from the node, each request over a connection of its own. Ends with its disposal.</summary>
internal sealed class ServiceLoad : IAsyncDisposable
{
    private const int Clients = 2;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero })
    {
        Timeout = TimeSpan.FromSeconds(15),
    };

    private readonly ConcurrentQueue<LoadedRequest> _requests = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly CancellationTokenSource _over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Task _clients;

    private ServiceLoad(Uri service) => _clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(() => KeepAskingAsync(service))));

    /// <summary>Time on the clock of <see cref="LoadedRequest.Began"/>.</summary>
    public TimeSpan Now => _clock.Elapsed;

    public static async Task<ServiceLoad> Start(Deployed deployed)
    {
        var service = await Kubectl.Get("service", deployed.Name, "-n", deployed.Namespace);
        return new ServiceLoad(new Uri($"http://{service["spec"]!["clusterIP"]}/"));
    }

    /// <summary>The finished requests that were begun in this time.</summary>
    public IReadOnlyList<LoadedRequest> Between(TimeSpan from, TimeSpan to) => [.. _requests.Where(request => request.Began >= from && request.Began < to)];

    /// <summary>What failed, for messages.</summary>
    public static string Failures(IEnumerable<LoadedRequest> requests) =>
        string.Join('\n', requests.Where(request => request.Failed).Select(request => $"{request.Began}: {request.Error}"));

    /// <summary>Waits until each of these enclaves has answered a request that was begun from now on.</summary>
    public Task UntilAllAnswer(IReadOnlyList<string> bootIds, TimeSpan limit, Func<Task<string>> explain)
    {
        var from = Now;
        return Eventually.Holds($"answers of {string.Join(" and ", bootIds)}", limit,
            () => Task.FromResult(bootIds.All(id => Between(from, TimeSpan.MaxValue).Any(request => request.CameFrom(id)))), explain);
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _clients;
        _over.Dispose();
        _client.Dispose();
    }

    private async Task KeepAskingAsync(Uri service)
    {
        while (!_over.IsCancellationRequested)
        {
            var began = Now;
            try
            {
                var answer = await _client.GetStringAsync(service, _over.Token);
                _requests.Enqueue(new LoadedRequest(began, answer, ""));
                await Task.Delay(Pause, _over.Token);
            }
            catch (OperationCanceledException) when (_over.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
            {
                _requests.Enqueue(new LoadedRequest(began, null, $"{e.Message} {e.InnerException?.Message}"));
            }
        }
    }
}
