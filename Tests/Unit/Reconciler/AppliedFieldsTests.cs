using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Reconciling;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class AppliedFieldsTests
{
    [Theory]
    [InlineData("""{"spec":{"replicas":1}}""", """{"spec":{"replicas":1,"paused":false},"status":{}}""", "a field of others beside ours")]
    [InlineData("""{"spec":{"minReadySeconds":0,"paused":false,"affinity":{}}}""", """{"spec":{}}""", "an empty value that the server leaves out")]
    [InlineData("""{"rollingUpdate":null}""", """{}""", "a null that is absent")]
    [InlineData("""{"containers":[{"name":"a"}]}""", """{"containers":[{"name":"sidecar"},{"name":"a","image":"x"}]}""", "an item of others in a shared list")]
    [InlineData("""{"tolerations":[{"key":"a"}]}""", """{"tolerations":[{"key":"a","effect":"NoSchedule"}]}""", "a default in an item of a list of ours")]
    [InlineData("""{"metadata":{"labels":{"a":"1"}}}""", """{"metadata":{"labels":{"a":"1","b":"2"}}}""", "a label of others")]
    [InlineData("""{"n":1.0}""", """{"n":1}""", "the same number written differently")]
    public void Is_no_difference(string applied, string live, string what) =>
        Differences(applied, live).ShouldBeEmpty(what);

    [Theory]
    [InlineData("""{"spec":{"replicas":1}}""", """{"spec":{"replicas":3}}""", ".spec.replicas")]
    [InlineData("""{"spec":{"replicas":0}}""", """{"spec":{"replicas":3}}""", ".spec.replicas")]
    [InlineData("""{"spec":{"paused":false}}""", """{"spec":{"paused":true}}""", ".spec.paused")]
    [InlineData("""{"metadata":{"labels":{"a":"1"}}}""", """{"metadata":{}}""", ".metadata.labels.a")]
    [InlineData("""{"rollingUpdate":null}""", """{"rollingUpdate":{"maxSurge":1}}""", ".rollingUpdate")]
    [InlineData("""{"containers":[{"name":"a","image":"x"}]}""", """{"containers":[{"name":"a","image":"y"}]}""", ".containers")]
    [InlineData("""{"tolerations":[{"key":"a"}]}""", """{"tolerations":[{"key":"a"},{"key":"b"}]}""", ".tolerations")]
    [InlineData("""{"spec":{"selector":{"a":"1"}}}""", """{"spec":{"selector":{"a":"1","b":"2"}}}""", ".spec.selector")]
    [InlineData("""{"n":"1"}""", """{"n":1}""", ".n")]
    [InlineData("""{"spec":{"automountServiceAccountToken":false}}""", """{"spec":{}}""", ".spec.automountServiceAccountToken")]
    public void Is_a_difference(string applied, string live, string path) =>
        Differences(applied, live).ShouldBe([path]);

    [Fact]
    public void A_long_list_of_differences_is_cut() =>
        Differences(new JsonObject(Enumerable.Range(1, 500).Select(i => KeyValuePair.Create($"f{i}", (JsonNode?)i))).ToJsonString(), "{}")
            .Count.ShouldBe(20);

    [Fact]
    public void Items_of_a_list_have_no_kind_and_do_not_differ_for_that() =>
        AppliedFields.ObjectDifferences(JsonNode.Parse("""{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1"}}""")!.AsObject(),
            JsonDocument.Parse("""{"data":{"a":"1"}}""").RootElement).ShouldBeEmpty();

    private static IReadOnlyList<string> Differences(string applied, string live) =>
        AppliedFields.Differences(JsonNode.Parse(applied), JsonDocument.Parse(live).RootElement);
}
