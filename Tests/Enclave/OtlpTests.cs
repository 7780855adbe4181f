using System.Globalization;
using System.Text.RegularExpressions;
using Enclaves.Tests.Benchmarks;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>The log at an OpenTelemetry collector: a real one, over both of its protocols, also while it is away or refuses.</summary>
public sealed partial class OtlpTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly OtlpCollector _collector = new();
    private readonly TemporaryFolder _headers = new();

    [Theory]
    [InlineData("grpc")]
    [InlineData("http")]
    public async Task Every_line_arrives_in_order_with_who_wrote_it_and_where(string protocol)
    {
        await _collector.StartAsync();
        await using var enclave = Start(protocol, OtlpCollector.Key);
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        await HostProcess.AskAsync(enclave.IngressPort, "/log/1000/100");
        // One of 40,000 bytes becomes three parts.
        await HostProcess.AskAsync(enclave.IngressPort, "/log/1/40000");
        var records = await UntilAsync(records => records.Any(record => record.Container == "app" && record.Text.Length == 40_000 - (2 * 16_384)), enclave);

        var app = records.Where(record => record.Container == "app").OrderBy(record => record.UnixNanoseconds).ToList();
        app.Select(record => Number().Match(record.Text)).Where(match => match.Success).Take(1000)
            .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).ShouldBe(Enumerable.Range(1, 1000));
        app.Count(record => record.Attributes.GetValueOrDefault("enclaves.partial") == "true").ShouldBe(2);
        app.ShouldAllBe(record => record.Attributes["log.iostream"] == "stdout" && record.Resource["service.name"] == "test" && record.Resource["service.namespace"] == "default");
        records.ShouldContain(record => record.Container == "orchestrator" && record.Severity == "Information" && record.Text.Contains("container app: started", StringComparison.Ordinal));
        records.ShouldContain(record => record.Container == "enclave-host" && record.Text.Contains("-> Running", StringComparison.Ordinal));
        (await enclave.Host.StatusAsync())["otlp"]!["problem"]!.GetValue<string>().ShouldBe("");
        var metrics = await enclave.Host.MetricsAsync();
        metrics.ShouldContain("enclave_otlp_up 1\n");
        // With a collector it shows all that it can: what the dashboard and the alerts ask for is made from this list.
        var documentation = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "../../../../../docs/metrics.md"), TestContext.Current.CancellationToken);
        MetricHead().Matches(metrics).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal)
            .ShouldBe(DocumentedMetric().Matches(documentation).Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal));
        enclave.Host.Output.ShouldNotContain(OtlpCollector.Key);
    }

    [Fact]
    public async Task A_key_that_is_refused_is_said_once_and_a_rotated_one_is_taken()
    {
        await _collector.StartAsync();
        await using var enclave = Start("grpc", "an old key");
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        await Eventually.Holds("the refusal is in the status", Limit, async () => await ProblemAsync(enclave) is { Length: > 0 }, enclave.Host.Explain);
        await HostProcess.AskAsync(enclave.IngressPort, "/log/10/50");
        File.WriteAllText(Path.Combine(_headers.Path, "x-otlp-api-key"), OtlpCollector.Key + "\n");
        var records = await UntilAsync(async () =>
        {
            await HostProcess.AskAsync(enclave.IngressPort, "/log/1/50");
            return await _collector.RecordsAsync();
        }, records => records.Any(record => record.Text.StartsWith("line 1 ", StringComparison.Ordinal)), enclave);
        // What was refused is told of where it would have been.
        records.ShouldContain(record => Dropped().IsMatch(record.Text));
        Occurrences(enclave.Host.Output, "does not take the log").ShouldBe(1);
        await Eventually.Holds("the end of it is in the log", Limit,
            () => Task.FromResult(enclave.Host.Output.Contains("takes the log again", StringComparison.Ordinal)), enclave.Host.Explain);
    }

    [Fact]
    public async Task A_collector_that_is_away_costs_marked_lines_and_neither_memory_nor_the_enclave()
    {
        await using var enclave = Start("http", OtlpCollector.Key);
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        var before = ProcessFacts.ResidentKib(enclave.Host.Id) / 1024;
        for (var i = 0; i < 10; i++)
            await HostProcess.AskAsync(enclave.IngressPort, "/log/20000/200");
        await Eventually.Holds("lines are dropped", Limit,
            async () => (await enclave.Host.StatusAsync())["otlp"]!["dropped"]!.GetValue<long>() > 10_000, enclave.Host.Explain);
        (ProcessFacts.ResidentKib(enclave.Host.Id) / 1024).ShouldBeLessThan(before + 64);
        (await enclave.Host.ReadyzAsync()).ShouldBe(System.Net.HttpStatusCode.OK);
        (await ProblemAsync(enclave)).ShouldNotBeEmpty();

        await _collector.StartAsync();
        var records = await UntilAsync(records => records.Any(record => Dropped().IsMatch(record.Text)) && records.Any(record => record.Text.StartsWith("line 20000 ", StringComparison.Ordinal)), enclave);
        // Lines that were lost inside the enclave already are marked by their container.
        var marked = records.Where(record => record.Container == "enclave-host").Sum(record => Dropped().Match(record.Text) is { Success: true } match ? long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0);
        marked.ShouldBe((await enclave.Host.StatusAsync())["otlp"]!["dropped"]!.GetValue<long>());
    }

    public async ValueTask DisposeAsync()
    {
        await _collector.DisposeAsync();
        _headers.Dispose();
    }

    private static int Occurrences(string text, string part) => text.Split(part).Length - 1;

    private static async Task<string> ProblemAsync(LocalEnclave enclave) => (await enclave.Host.StatusAsync())["otlp"]!["problem"]!.GetValue<string>();

    private LocalEnclave Start(string protocol, string key)
    {
        File.WriteAllText(Path.Combine(_headers.Path, "x-otlp-api-key"), key + "\n");
        return LocalEnclave.Start(null, "--otlp-endpoint", _collector.Endpoint(protocol), "--otlp-protocol", protocol, "--otlp-headers", _headers.Path);
    }

    private Task<IReadOnlyList<OtlpCollector.Record>> UntilAsync(Func<IReadOnlyList<OtlpCollector.Record>, bool> holds, LocalEnclave enclave) =>
        UntilAsync(_collector.RecordsAsync, holds, enclave);

    private async Task<IReadOnlyList<OtlpCollector.Record>> UntilAsync(
        Func<Task<IReadOnlyList<OtlpCollector.Record>>> read, Func<IReadOnlyList<OtlpCollector.Record>, bool> holds, LocalEnclave enclave)
    {
        IReadOnlyList<OtlpCollector.Record> records = [];
        await Eventually.Holds("the records are at the collector", Limit, async () => holds(records = await read()), async () => $"{await enclave.Host.Explain()}\n{await _collector.Explain()}");
        return records;
    }

    [GeneratedRegex("^# TYPE ([a-z_]+) ", RegexOptions.Multiline)]
    private static partial Regex MetricHead();

    [GeneratedRegex("`(enclave_[a-z_]+)`")]
    private static partial Regex DocumentedMetric();

    [GeneratedRegex(@"^line (\d+) ")]
    private static partial Regex Number();

    [GeneratedRegex(@"\[(\d+) lines before this one were dropped\]")]
    private static partial Regex Dropped();
}
