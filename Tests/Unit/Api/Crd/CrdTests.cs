using Enclaves.Api;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Api.Crd;

public sealed class CrdTests
{
    [Fact]
    public void The_charts_crd_says_what_the_types_say() => WrittenFile.MustHold(CrdYaml.Path, CrdYaml.Text());

    [Fact]
    public void The_crd_is_plain_yaml_to_helm()
    {
        CrdYaml.Text().ShouldNotContain("{{");
    }

    [Fact]
    public void Every_field_of_ours_is_described()
    {
        var undescribed = new List<string>();
        Walk(Spec("spec"), "spec", undescribed);
        Walk(Spec("status"), "status", undescribed);
        undescribed.ShouldBeEmpty();
    }

    [Fact]
    public void Nothing_inside_a_list_has_a_default()
    {
        CollectDefaultsInLists(Spec("spec"), "spec", inList: false).ShouldBeEmpty();
    }

    private static Dictionary<string, object> Spec(string part)
    {
        var root = new SchemaWriter(DocumentationComments.Load()).Root(typeof(NitroEnclaveDeployment));
        return (Dictionary<string, object>)((Dictionary<string, object>)root["properties"])[part];
    }

    private static void Walk(Dictionary<string, object> schema, string path, List<string> undescribed)
    {
        if (schema.TryGetValue("properties", out var properties))
        {
            foreach (var (name, value) in (Dictionary<string, object>)properties)
            {
                var property = (Dictionary<string, object>)value;
                if (!property.ContainsKey("description"))
                    undescribed.Add($"{path}.{name}");
                Walk(property, $"{path}.{name}", undescribed);
            }
        }

        if (schema.TryGetValue("items", out var items))
            Walk((Dictionary<string, object>)items, $"{path}[]", undescribed);
    }

    private static IEnumerable<string> CollectDefaultsInLists(Dictionary<string, object> schema, string path, bool inList)
    {
        if (inList && schema.ContainsKey("default"))
            yield return path;
        var children = schema.TryGetValue("properties", out var properties)
            ? ((Dictionary<string, object>)properties).Select(p => ($"{path}.{p.Key}", (Dictionary<string, object>)p.Value, inList))
            : [];
        if (schema.TryGetValue("items", out var items))
            children = children.Append(($"{path}[]", (Dictionary<string, object>)items, true));
        foreach (var (childPath, child, childInList) in children)
        {
            foreach (var found in CollectDefaultsInLists(child, childPath, childInList))
                yield return found;
        }
    }
}
