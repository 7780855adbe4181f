using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Reconciling;
using Enclaves.Tests.Unit.Webhook.Serving;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Metrics;

/// <summary>docs/metrics.md lists what the programs show, neither more nor less: the dashboard and the alerts are made from it.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public async Task The_document_lists_each_metric_of_the_Reconciler_with_its_labels()
    {
        await using var scraped = await Scraped.Start();
        var metrics = scraped.Get<ReconcilerMetrics>();
        metrics.Passed("done", isRetry: true, TimeSpan.FromMilliseconds(1));
        metrics.Observe(() => 0, () => 0, () => true, () => [("pods", TimeSpan.Zero, default)]);
        scraped.Get<JobClock>().Began("drift");
        scraped.PutNed("shop", "cart", 1, 1);
        Shown(await scraped.Scrape()).ShouldBe(Documented("Reconciler"));
    }

    // Of most there is nothing to scrape before something has happened; what is made is known at once.
    [Fact]
    public async Task The_document_lists_each_metric_of_the_Webhook()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (!instrument.Meter.Name.StartsWith("Enclaves.Webhook", StringComparison.Ordinal))
                return;
            var unit = instrument.Unit == "s" ? "_seconds" : "";
            lock (found)
                found.Add(instrument.Name + unit + (instrument.GetType().Name.Contains("Counter", StringComparison.Ordinal) ? "_total" : ""));
        };
        listener.Start();
        await using var served = await Served.Start();
        lock (found)
            found.Order(StringComparer.Ordinal).ShouldBe(Documented("Webhook").Select(metric => metric.Split(' ')[0]));
    }

    // Each as NAME LABEL LABEL …, in order; of a histogram the name without its endings.
    private static IEnumerable<string> Shown(IEnumerable<string> lines)
    {
        var all = lines.ToList();
        var histograms = all.Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal) && line.EndsWith(" histogram", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]).ToList();
        return all.Where(line => line.StartsWith("enclaves_", StringComparison.Ordinal)).Select(line => Sample().Match(line)).Select(match =>
        {
            var name = match.Groups[1].Value;
            name = histograms.Find(histogram => name.StartsWith(histogram, StringComparison.Ordinal)) ?? name;
            return string.Join(' ', Label().Matches(match.Groups[2].Value).Select(label => label.Groups[1].Value).Where(label => label != "le").Order(StringComparer.Ordinal).Prepend(name));
        }).Distinct().Order(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Documented(string part) =>
        File.ReadAllText(Repository.PathOf("docs/metrics.md")).Split("\n## ").Single(section => section.StartsWith(part + "\n", StringComparison.Ordinal))
            .Split('\n').Where(line => line.StartsWith("| `enclaves_", StringComparison.Ordinal)).Select(line => line.Split('|'))
            .SelectMany(cells => Quoted().Matches(cells[1]).Select(name => string.Join(' ',
                Quoted().Matches(cells[2]).Select(label => label.Groups[1].Value).Order(StringComparer.Ordinal).Prepend(name.Groups[1].Value))))
            .Order(StringComparer.Ordinal);

    [GeneratedRegex(@"^([a-z_]+)(\{[^}]*\})?")]
    private static partial Regex Sample();

    [GeneratedRegex("([a-z_]+)=\"")]
    private static partial Regex Label();

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Quoted();
}
