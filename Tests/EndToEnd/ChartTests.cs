using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The release that dev/up installs: upgraded, removed, and installed again.</summary>
public sealed class ChartTests
{
    private const string System = "enclaves-system";
    private const string Release = "enclaves";
    private const string Crd = "nitroenclavedeployments.k8s.oblv.com";

    private static string Chart => Path.Combine(Deployed.Repository, "charts/enclaves");

    [Fact]
    public async Task An_upgrade_with_the_same_values_changes_nothing()
    {
        var values = await Values();
        // What stands may be of an older chart, where nobody has upgraded it since.
        await Upgrade(values);
        var before = await Versions();
        before.Count.ShouldBeGreaterThan(10);
        await Upgrade(values);
        (await Versions()).ShouldBe(before);
        var diff = await Kubectl.Try(await Helm("get", "manifest", Release), "diff", "-n", System, "-f", "-");
        diff.ExitCode.ShouldBe(0, diff.Output + diff.Error);
    }

    [Fact]
    public async Task Removing_the_chart_leaves_the_crd_the_neds_and_their_enclaves_and_installing_it_again_takes_them_over()
    {
        var values = await Values();
        await using var hello = await Deployed.Apply();
        await hello.UntilReady();
        await hello.Answer();
        var (ned, pod) = (await hello.Ned(), await hello.Pod());
        try
        {
            await Helm("uninstall", Release, "--wait", "--timeout", "180s");
            (await Kubectl.Get("pods", "-n", System, "-l", $"app.kubernetes.io/instance={Release}"))["items"]!.AsArray()
                .ShouldAllBe(item => item!["metadata"]!["deletionTimestamp"] != null);
            (await Kubectl.Get("crd", Crd))["metadata"]!["deletionTimestamp"].ShouldBeNull();
            Uid(await hello.Ned()).ShouldBe(Uid(ned));
            Uid(await hello.Pod()).ShouldBe(Uid(pod));
            (await hello.Ask()).ShouldContain("hello from inside the enclave");
        }
        finally
        {
            await Upgrade(values);
        }

        // A change that the new Webhook and the new Reconciler both have to see, and that starts no other enclave.
        await Kubectl.Run("patch", "ned", hello.Name, "-n", hello.Namespace, "--type=merge", "-p", """{"spec":{"service":{"labels":{"after":"again"}}}}""");
        await Eventually.Holds("the Service has the label", TimeSpan.FromSeconds(60), async () =>
            (string?)(await Kubectl.Get("service", hello.Name, "-n", hello.Namespace))["metadata"]!["labels"]!["after"] == "again", hello.Explain);
        Uid(await hello.Pod()).ShouldBe(Uid(pod));
    }

    private static string Uid(JsonNode item) => (string)item["metadata"]!["uid"]!;

    private static Task<string> Values() => Helm("get", "values", Release, "-o", "yaml");

    private static async Task Upgrade(string values)
    {
        var result = await Tool.Run("helm", values, [.. Where, "upgrade", "--install", Release, Chart, "-f", "-", "--wait", "--timeout", "420s"]);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
    }

    private static async Task<string> Helm(params string[] arguments)
    {
        var result = await Tool.Run("helm", null, [.. Where, .. arguments]);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output;
    }

    private static string[] Where => ["--kubeconfig", Kubectl.Kubeconfig, "-n", System];

    // Of what has a status that others write, the generation; of the rest, the version.
    private static async Task<IReadOnlyList<string>> Versions()
    {
        var result = await Kubectl.Try(await Helm("get", "manifest", Release), "get", "-n", System, "-f", "-", "-o", "json");
        result.ExitCode.ShouldBe(0, result.Error);
        return
        [
            .. JsonNode.Parse(result.Output)!["items"]!.AsArray().Select(item => item!["metadata"]!["generation"] is { } generation && item["status"] is not null
                ? $"{item["kind"]} {item["metadata"]!["name"]} generation {generation}"
                : $"{item["kind"]} {item["metadata"]!["name"]} version {item["metadata"]!["resourceVersion"]}"),
        ];
    }
}
