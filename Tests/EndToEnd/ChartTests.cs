using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The release that dev/up installs: upgraded, removed, and installed again.</summary>
public sealed class ChartTests
{
    private const string Crd = "nitroenclavedeployments.k8s.oblv.com";

    [Fact]
    public async Task An_upgrade_with_the_same_values_changes_nothing()
    {
        var values = await Release.Values();
        // What stands may be of an older chart, where nobody has upgraded it since.
        await Release.Upgrade(values);
        var before = await Versions();
        before.Count.ShouldBeGreaterThan(10);
        await Release.Upgrade(values);
        (await Versions()).ShouldBe(before);
        var diff = await Kubectl.Try(await Release.Helm("get", "manifest", Release.Name), "diff", "-n", Release.Namespace, "-f", "-");
        diff.ExitCode.ShouldBe(0, diff.Output + diff.Error);
    }

    [Fact]
    public async Task Removing_the_chart_leaves_the_crd_the_neds_and_their_enclaves_and_installing_it_again_takes_them_over()
    {
        var values = await Release.Values();
        await using var hello = await Deployed.Apply();
        await hello.UntilReady();
        await hello.Answer();
        var (ned, pod) = (await hello.Ned(), await hello.Pod());
        try
        {
            await Release.Helm("uninstall", Release.Name, "--wait", "--timeout", "180s");
            (await Kubectl.Get("pods", "-n", Release.Namespace, "-l", $"app.kubernetes.io/instance={Release.Name}"))["items"]!.AsArray()
                .ShouldAllBe(item => item!["metadata"]!["deletionTimestamp"] != null);
            (await Kubectl.Get("crd", Crd))["metadata"]!["deletionTimestamp"].ShouldBeNull();
            Uid(await hello.Ned()).ShouldBe(Uid(ned));
            Uid(await hello.Pod()).ShouldBe(Uid(pod));
            (await hello.Ask()).ShouldContain("hello from inside the enclave");
        }
        finally
        {
            await Release.Upgrade(values);
        }

        // A change that the new Webhook and the new Reconciler both have to see, and that starts no other enclave.
        await Kubectl.Run("patch", "ned", hello.Name, "-n", hello.Namespace, "--type=merge", "-p", """{"spec":{"service":{"labels":{"after":"again"}}}}""");
        await Eventually.Holds("the Service has the label", TimeSpan.FromSeconds(60), async () =>
            (string?)(await Kubectl.Get("service", hello.Name, "-n", hello.Namespace))["metadata"]!["labels"]!["after"] == "again", hello.Explain);
        Uid(await hello.Pod()).ShouldBe(Uid(pod));
    }

    private static string Uid(JsonNode item) => (string)item["metadata"]!["uid"]!;

    // Of what has a status that others write, the generation; of the rest, the version.
    private static async Task<IReadOnlyList<string>> Versions()
    {
        var result = await Kubectl.Try(await Release.Helm("get", "manifest", Release.Name), "get", "-n", Release.Namespace, "-f", "-", "-o", "json");
        result.ExitCode.ShouldBe(0, result.Error);
        return
        [
            .. JsonNode.Parse(result.Output)!["items"]!.AsArray().Select(item => item!["metadata"]!["generation"] is { } generation && item["status"] is not null
                ? $"{item["kind"]} {item["metadata"]!["name"]} generation {generation}"
                : $"{item["kind"]} {item["metadata"]!["name"]} version {item["metadata"]!["resourceVersion"]}"),
        ];
    }
}
