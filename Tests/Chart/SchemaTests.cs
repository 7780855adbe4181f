using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class SchemaTests
{
    public static TheoryData<string> EveryValue => new(ValuesTree.Leaves(ValuesTree.Defaults).Select(leaf => leaf.Path));

    public static TheoryData<string> EveryClosedObject => new(ValuesTree.Objects(ValuesTree.Defaults).Where(path => !IsOpen(path)));

    [Theory]
    [InlineData("webhook.replicas", "0")]
    [InlineData("webhook.replicas", "1.5")]
    [InlineData("webhook.replicas", "51")]
    [InlineData("webhook.timeoutSeconds", "0")]
    [InlineData("webhook.timeoutSeconds", "31")]
    [InlineData("webhook.podDisruptionBudget.maxUnavailable", "0")]
    [InlineData("webhook.podDisruptionBudget.maxUnavailable", "\"0%\"")]
    [InlineData("webhook.podDisruptionBudget.maxUnavailable", "\"one\"")]
    [InlineData("webhook.podDisruptionBudget.enabled", "\"yes\"")]
    [InlineData("webhook.priorityClassName", "\"Not A Name\"")]
    [InlineData("webhook.resources.requests.cpu", "\"a lot\"")]
    [InlineData("reconciler.replicas", "0")]
    [InlineData("reconciler.resources.limits.memory", "-1")]
    [InlineData("reconciler.nodeSelector.pool", "true")]
    [InlineData("reconciler.tolerations", """[{"key": "a", "operator": "Maybe"}]""", "reconciler.tolerations.0.operator")]
    [InlineData("webhook.tolerations", """[{"keys": "a"}]""", "webhook.tolerations.0")]
    [InlineData("reconciler.jobs.resync", "\"every minute\"")]
    [InlineData("reconciler.jobs.healthSweep", "\"* * * *\"")]
    [InlineData("reconciler.jobs.enabled", "\"yes\"")]
    [InlineData("reconciler.jobs.postgres.schema", "\"Two words\"")]
    [InlineData("reconciler.jobs.postgres.connectionSecret.name", "\"Not A Name\"")]
    [InlineData("images.webhook", "\"two words\"")]
    [InlineData("images.pullPolicy", "\"Sometimes\"")]
    [InlineData("images.pullSecrets", "[\"Not A Name\"]", "images.pullSecrets.0")]
    [InlineData("enclave.driver", "\"process\"")]
    [InlineData("enclave.deviceResource", "\"no-domain\"")]
    [InlineData("enclave.deviceGroup", "-1")]
    [InlineData("enclave.machineCpu", "0")]
    [InlineData("enclave.machineCpu", "\"1Gi\"")]
    [InlineData("enclave.nodeLabel", "\"no-value\"")]
    [InlineData("enclave.seccompProfile", "\"Localhost:\"")]
    [InlineData("enclave.allowDestinations", "[\"10.0.0.7\"]", "enclave.allowDestinations.0")]
    [InlineData("policy.requireDigests", "\"yes\"")]
    [InlineData("policy.allowedRegistries", "[\"team\"]", "policy.allowedRegistries.0")]
    [InlineData("policy.allowedRegistries", "[\"https://registry.example\"]", "policy.allowedRegistries.0")]
    [InlineData("policy.allowedRegistries", "[\"registry.example/\"]", "policy.allowedRegistries.0")]
    [InlineData("networkPolicy.enabled", "\"false\"")]
    [InlineData("serviceMonitor.enabled", "1")]
    [InlineData("serviceMonitor.interval", "\"30\"")]
    [InlineData("serviceMonitor.labels.release", "1")]
    [InlineData("reconciler.metrics.perNed", "\"no\"")]
    [InlineData("reconciler.tracing.endpoint", "\"collector:4317\"")]
    [InlineData("reconciler.tracing.protocol", "\"http\"")]
    [InlineData("podMonitor.enabled", "1")]
    [InlineData("podMonitor.interval", "\"30\"")]
    [InlineData("prometheusRule.enabled", "\"yes\"")]
    [InlineData("grafanaDashboard.enabled", "\"yes\"")]
    [InlineData("grafanaDashboard.labels.team", "1")]
    [InlineData("tls.mode", "\"none\"")]
    [InlineData("tls.selfManaged.leafDays", "0")]
    [InlineData("tls.selfManaged.authorityDays", "89")]
    [InlineData("tls.secretName", "\"Not A Name\"")]
    [InlineData("tls.caBundle", "\"-----BEGIN CERTIFICATE-----\"")]
    public async Task A_value_out_of_bounds_is_refused_with_its_path(string path, string json, string? shown = null) =>
        (await Refusal(path, json)).ShouldContain(shown ?? path);

    [Theory]
    [MemberData(nameof(EveryValue))]
    public async Task No_value_may_have_any_type_it_likes(string path) =>
        (await Refusal(path, """{"wrong": [[]]}""")).ShouldContain(path);

    [Theory]
    [MemberData(nameof(EveryClosedObject))]
    public async Task A_misspelt_value_is_refused_with_its_path(string path)
    {
        var message = await Refusal($"{path}.mispelt".TrimStart('.'), "1");
        message.ShouldContain("mispelt");
        message.ShouldContain(path);
    }

    [Theory]
    [InlineData("images.webhook")]
    [InlineData("images.reconciler")]
    [InlineData("images.enclaveHost")]
    public async Task What_has_no_default_is_asked_for_by_name(string path) =>
        (await Refusal(path, "\"\"")).ShouldContain($"{path}: give");

    [Theory]
    [InlineData("tls.secretName")]
    [InlineData("tls.caBundle")]
    public async Task A_certificate_of_ones_own_is_asked_for_by_name(string path)
    {
        var result = await Helm.TryTemplate("everything", "--set-json", $"{path}=\"\"");
        result.Error.ShouldContain($"{path}: give");
    }

    [Theory]
    [InlineData("selfManaged")]
    [InlineData("certManager")]
    public async Task A_certificate_of_ones_own_is_not_ignored_in_silence(string mode)
    {
        var result = await Helm.TryTemplate("everything", "--set", $"tls.mode={mode}");
        result.Error.ShouldContain("tls.mode: ");
    }

    [Fact]
    public void Every_value_stands_in_the_schema_and_has_a_default() =>
        SchemaPaths(ValuesTree.Schema, "").Where(path => path != "global").Order(StringComparer.Ordinal)
            .ShouldBe(DefaultPaths(ValuesTree.Defaults, "").Order(StringComparer.Ordinal));

    [Fact]
    public void Every_value_that_can_be_another_is_another_in_the_set_everything()
    {
        var changed = ValuesTree.Leaves(Yaml.One(Repository.Read("Tests/Chart/Values/everything.yaml")).AsObject()).ToDictionary(leaf => leaf.Path, leaf => leaf.Value);
        ValuesTree.Leaves(ValuesTree.Defaults)
            .Where(leaf => !changed.Keys.Any(path => path == leaf.Path || path.StartsWith(leaf.Path + ".", StringComparison.Ordinal))
                || (changed.TryGetValue(leaf.Path, out var value) && JsonNode.DeepEquals(value, leaf.Value)))
            .Select(leaf => leaf.Path)
            .ShouldBe(["webhook.podDisruptionBudget.enabled", "reconciler.podDisruptionBudget.enabled", "reconciler.jobs.enabled"]);
    }

    // Helm 3 writes webhook.replicas and helm 4 '/webhook/replicas': compared in the first form.
    private static async Task<string> Refusal(string path, string json)
    {
        var result = await Helm.TryTemplate("required", "--set-json", $"{path}={json}");
        result.ExitCode.ShouldNotBe(0, $"{path}={json} is accepted");
        return Regex.Replace(result.Error, "'/[^']*'", quoted => quoted.Value.Trim('\'', '/').Replace('/', '.'));
    }

    private static IEnumerable<string> DefaultPaths(JsonObject values, string prefix) => values.SelectMany(entry =>
        entry.Value is JsonObject inner && !IsOpen(prefix + entry.Key)
            ? DefaultPaths(inner, $"{prefix}{entry.Key}.").Prepend(prefix + entry.Key)
            : [prefix + entry.Key]);

    private static IEnumerable<string> SchemaPaths(JsonObject schema, string prefix)
    {
        if (schema["$ref"] is { } reference)
            schema = ValuesTree.Schema["definitions"]![((string)reference!).Split('/')[^1]]!.AsObject();
        return schema["properties"] is JsonObject properties
            ? properties.SelectMany(entry => SchemaPaths(entry.Value!.AsObject(), $"{prefix}{entry.Key}.").Prepend(prefix + entry.Key))
            : [];
    }

    // The keys of these are nodes' labels and names of resources: anybody's.
    private static bool IsOpen(string path) => Regex.IsMatch(path, @"\.(nodeSelector|labels|requests|limits|issuerRef)$");
}
