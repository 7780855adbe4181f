using k8s;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class ObjectTests
{
    // Groups of other projects.
    private static readonly string[] Others = ["cert-manager.io", "monitoring.coreos.com"];

    public static TheoryData<string> ValueSets => new(Helm.ValueSets);

    // An API server drops a field that it does not know, or refuses it under server-side apply: a slip of the pen shows here first.
    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Kubernetes_knows_every_field_of_every_object(string values)
    {
        foreach (var item in (await Helm.Template(values)).Objects.Where(item => !Others.Contains(((string)item.Json["apiVersion"]!).Split('/')[0])))
            KubernetesYaml.LoadAllFromString(item.Text, strict: true).Count.ShouldBe(1, $"{item.Kind} {item.Name}");
    }

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Every_object_carries_the_labels_that_tools_look_for(string values)
    {
        foreach (var item in (await Helm.Template(values)).Objects.Where(item => item.Kind != "CustomResourceDefinition"))
        {
            var labels = LabelSelector.Labels(item.Json);
            labels["app.kubernetes.io/name"].ShouldBe("enclaves");
            labels["app.kubernetes.io/instance"].ShouldBe(Helm.Release);
            labels["app.kubernetes.io/component"].ShouldBeOneOf("webhook", "reconciler", "monitoring", "seccomp-installer");
        }
    }
}
