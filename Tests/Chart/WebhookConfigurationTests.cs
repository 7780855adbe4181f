using System.Text.Json.Nodes;
using Enclaves.Api;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class WebhookConfigurationTests
{
    public static TheoryData<string> ValueSets => new(Helm.ValueSets);

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task No_webhook_sees_the_namespaces_that_it_needs_to_start(string values)
    {
        foreach (var webhook in await Webhooks(values))
        {
            var selector = webhook["namespaceSelector"];
            Sees(selector, ("kubernetes.io/metadata.name", "default")).ShouldBeTrue();
            Sees(selector, ("kubernetes.io/metadata.name", "kube-system")).ShouldBeFalse();
            Sees(selector, ("kubernetes.io/metadata.name", "kube-node-lease")).ShouldBeFalse();
            Sees(selector, ("kubernetes.io/metadata.name", Helm.Namespace)).ShouldBeFalse();
            // An old API server does not label namespaces with their names.
            Sees(selector, ("k8s.oblv.com/ignore", "true")).ShouldBeFalse();
            Sees(selector).ShouldBeTrue();
        }
    }

    // It tells the NEDs there, which nobody has checked, instead of running them.
    [Fact]
    public async Task The_reconciler_knows_the_namespaces_that_no_webhook_sees()
    {
        const string option = "--webhookExcludes=";
        var reconciler = (await Helm.Template("required")).Get("Deployment", $"{Helm.Release}-reconciler").Pod!["spec"]!["containers"]![0]!;
        var told = reconciler["args"]!.AsArray().Select(argument => (string)argument!).Single(argument => argument.StartsWith(option, StringComparison.Ordinal));
        foreach (var webhook in await Webhooks("required"))
        {
            var names = webhook["namespaceSelector"]!["matchExpressions"]!.AsArray().Single(item => (string?)item!["key"] == "kubernetes.io/metadata.name")!;
            Names(names, "values").ShouldBe(told[option.Length..].Split(','));
        }
    }

    [Fact]
    public async Task No_pod_waits_for_the_webhook_unless_it_asks_to_be_injected()
    {
        var ofPods = (await Webhooks("required")).Where(webhook => webhook["rules"]!.AsArray().Any(rule => Names(rule!, "resources").Contains("pods"))).ToList();
        ofPods.Count.ShouldBe(1);
        LabelSelector.Matches(ofPods[0]["objectSelector"], new Dictionary<string, string> { [NedLabels.Inject] = NedLabels.InjectValue }).ShouldBeTrue();
        LabelSelector.Matches(ofPods[0]["objectSelector"], new Dictionary<string, string>()).ShouldBeFalse();
    }

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Every_webhook_names_what_it_intercepts_and_has_no_side_effects(string values)
    {
        foreach (var webhook in await Webhooks(values))
        {
            ((string?)webhook["sideEffects"]).ShouldBe("None");
            foreach (var rule in webhook["rules"]!.AsArray())
            {
                string[] named = [.. Names(rule!, "apiGroups"), .. Names(rule!, "apiVersions"), .. Names(rule!, "resources"), .. Names(rule!, "operations")];
                named.ShouldNotContain(name => name.Contains('*'));
                ((string?)rule!["scope"]).ShouldBe("Namespaced");
            }
        }
    }

    [Fact]
    public async Task Every_webhook_leads_to_the_service_and_from_there_to_the_pods()
    {
        var rendered = await Helm.Template("required");
        var service = rendered.Get("Service", $"{Helm.Release}-webhook").Json["spec"]!;
        var pod = rendered.Get("Deployment", $"{Helm.Release}-webhook").Pod!;
        foreach (var webhook in await Webhooks("required"))
        {
            var target = webhook["clientConfig"]!["service"]!;
            ((string?)target["name"]).ShouldBe($"{Helm.Release}-webhook");
            ((string?)target["namespace"]).ShouldBe(Helm.Namespace);
            ((long?)target["port"]).ShouldBe((long?)service["ports"]![0]!["port"]);
        }

        LabelSelector.Matches(new JsonObject { ["matchLabels"] = service["selector"]!.DeepClone() }, LabelSelector.Labels(pod)).ShouldBeTrue();
        pod["spec"]!["containers"]![0]!["ports"]!.AsArray().Select(port => (string?)port!["name"]).ShouldContain((string?)service["ports"]![0]!["targetPort"]);
    }

    private static bool Sees(JsonNode? selector, params (string Key, string Value)[] labels) =>
        LabelSelector.Matches(selector, labels.ToDictionary(label => label.Key, label => label.Value));

    private static IEnumerable<string> Names(JsonNode rule, string field) => rule[field]!.AsArray().Select(name => (string)name!);

    private static async Task<IReadOnlyList<JsonNode>> Webhooks(string values)
    {
        var rendered = await Helm.Template(values);
        List<JsonNode> webhooks =
        [
            .. rendered.OfKind("MutatingWebhookConfiguration").Concat(rendered.OfKind("ValidatingWebhookConfiguration"))
                .SelectMany(item => item.Json["webhooks"]!.AsArray()).OfType<JsonNode>(),
        ];
        webhooks.Count.ShouldBe(3);
        return webhooks;
    }
}
