using System.Diagnostics;
using Enclaves.Tests.Cluster.Oracle;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Enclaves.Tests.Cluster.Chaos;

/// <summary>
/// Changes NEDs at random while two Reconcilers, of which one leads, are killed and lied to at random; then lets them finish, and compares
/// the cluster with the specs.
/// </summary>
internal sealed class ChaosRun : IAsyncDisposable
{
    private const int Drivers = 4;
    private static readonly TimeSpan BetweenCounts = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(3);

    private readonly ChaosSettings _settings;
    private readonly Kubernetes _client = new(KubernetesClientConfiguration.BuildConfigFromConfigFile(DevelopmentCluster.KubeconfigPath));
    private readonly string _space = $"chaos-{Guid.NewGuid():N}"[..16];
    private readonly CreationAudit _audit = new();
    private readonly List<Supervised> _reconcilers = [];
    private readonly List<ChaosFaults> _faults = [];
    private int _kills;

    private ChaosRun(ChaosSettings settings) => _settings = settings;

    private int Writes => _reconcilers.Sum(reconciler => reconciler.Proxy.Writes.Count);

    // The last of it: what led there is in the API server.
    private IEnumerable<string> LastLines => _reconcilers.SelectMany(reconciler => reconciler.Log.Split('\n').TakeLast(40));

    /// <summary>Runs it all, and leaves nothing behind. Tells what it does now and then.</summary>
    public static async Task<ChaosResult> Run(ChaosSettings settings, Action<string> tell, CancellationToken cancellation)
    {
        await using var run = new ChaosRun(settings);
        tell($"chaos of seed {settings.Seed} in namespace {run._space}: {settings.Neds} NEDs, {settings.Duration.TotalSeconds:F0} s");
        await run.Start();
        var drivers = await run.Disturb(cancellation);
        tell($"{run._kills} kills and {run._faults.Sum(fault => fault.Made)} faults are over; now it has to converge");
        var result = await run.Judge(drivers, cancellation);
        if (result.Wrong.Count > 0)
            tell(string.Join('\n', run.LastLines));
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var reconciler in _reconcilers)
            await reconciler.DisposeAsync();
        try
        {
            await _client.CoreV1.DeleteNamespaceAsync(_space, new V1DeleteOptions { PropagationPolicy = "Background" });
        }
        catch (HttpOperationException absent) when (absent.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            // It was never made.
        }

        _client.Dispose();
    }

    private async Task Start()
    {
        // An installed chart leaves it alone, by this label.
        await _client.CoreV1.CreateNamespaceAsync(new V1Namespace
        {
            Metadata = new V1ObjectMeta { Name = _space, Labels = new Dictionary<string, string> { ["k8s.oblv.com/ignore"] = "true" } },
        });
        foreach (var identity in new[] { "first", "second" })
        {
            var reconciler = await Supervised.Start(_space, "--lease:namespace", _space, "--lease:name", "reconciler", "--lease:identity", identity,
                "--lease:duration", "00:00:04", "--lease:renewDeadline", "00:00:03", "--lease:renewInterval", "00:00:01");
            _audit.Watch(reconciler.Proxy);
            _faults.Add(new ChaosFaults(reconciler.Proxy, Seed(_faults.Count + 1)));
            _reconcilers.Add(reconciler);
        }
    }

    private async Task<IReadOnlyList<ChaosDriver>> Disturb(CancellationToken cancellation)
    {
        using var enough = new CancellationTokenSource();
        var drivers = Enumerable.Range(0, Drivers).Select(lane => new ChaosDriver(
            _client, _space, [.. Enumerable.Range(0, _settings.Neds).Where(i => i % Drivers == lane).Select(i => $"ned-{i}")], Seed(10 + lane))).ToList();
        var pace = TimeSpan.FromSeconds((double)Drivers / _settings.ChangesPerSecond);
        var driving = Task.WhenAll(drivers.Select(driver => driver.Run(pace, enough.Token, cancellation)));
        await KillNowAndThen(driving, enough, cancellation);
        await driving;
        foreach (var fault in _faults)
            fault.IsOn = false;
        return drivers;
    }

    // By the number of writes, so that on a slow machine, too, each life of a Reconciler gets something done.
    private async Task KillNowAndThen(Task driving, CancellationTokenSource enough, CancellationToken cancellation)
    {
#pragma warning disable CA5394 // Any seed will do; nothing here is a secret.
        var random = new Random(Seed(20));
#pragma warning restore CA5394
        var clock = Stopwatch.StartNew();
        var (fewest, most) = _settings.WritesBetweenKills;
        var due = random.Next(fewest, most + 1);
        while (!driving.IsCompleted)
        {
            await Task.Delay(BetweenCounts, cancellation);
            if (clock.Elapsed >= _settings.Duration && _kills >= _settings.Kills)
                await enough.CancelAsync();
            if (Writes < due)
                continue;
            var index = random.Next(_reconcilers.Count);
            _reconcilers[index].Kill();
            _kills++;
            _reconcilers[1 - index].Proxy.CutStreams();
            _faults[1 - index].Add();
            due = Writes + random.Next(fewest, most + 1);
        }
    }

    private async Task<ChaosResult> Judge(IReadOnlyList<ChaosDriver> drivers, CancellationToken cancellation)
    {
        var wanted = drivers.Sum(driver => driver.Present);
        var began = Stopwatch.StartNew();
        var moved = Stopwatch.StartNew();
        Survey? survey = null;
        IReadOnlyList<string> wrong;
        while (true)
        {
            var now = await Survey.Take(_client, _space, cancellation);
            if (now.Versions != survey?.Versions)
                moved.Restart();
            survey = now;
            wrong = survey.Wrong();
            if ((wrong.Count == 0 && survey.Neds == wanted) || moved.Elapsed > _settings.Standstill)
                break;
            await Task.Delay(BetweenLooks, cancellation);
        }

        return new ChaosResult
        {
            Seed = _settings.Seed,
            Created = drivers.Sum(driver => driver.Created),
            Changed = drivers.Sum(driver => driver.Changed),
            Deleted = drivers.Sum(driver => driver.Deleted),
            Kills = _kills,
            Faults = _faults.Sum(fault => fault.Made),
            Writes = Writes,
            Neds = survey.Neds,
            NedsWanted = wanted,
            Wrong = wrong,
            LeftOver = survey.LeftOver.Count,
            CreatedTwice = _audit.Twice,
            SecondsToConverge = began.Elapsed.TotalSeconds,
        };
    }

    // Other numbers for other purposes, the same for the same seed.
    private int Seed(int purpose) => unchecked((_settings.Seed * 397) ^ (purpose * 7919));
}
