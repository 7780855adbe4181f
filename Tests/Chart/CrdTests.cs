using Enclaves.Api;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class CrdTests
{
    [Fact]
    public async Task The_crd_upgrades_with_the_chart_and_is_kept_when_it_goes()
    {
        // Helm never upgrades what is in a folder crds: without --include-crds, only a template is rendered.
        var crd = (await Helm.Template("required")).OfKind("CustomResourceDefinition").ShouldHaveSingleItem();
        crd.Name.ShouldBe($"{NedNames.Plural}.{NedNames.Group}");
        ((string?)crd.Json["metadata"]!["annotations"]!["helm.sh/resource-policy"]).ShouldBe("keep");
    }

    [Fact]
    public async Task Nothing_else_is_kept_when_the_chart_goes() =>
        (await Helm.Template("everything")).Objects.Where(item => item.Json["metadata"]!["annotations"]?["helm.sh/resource-policy"] is not null)
            .Select(item => item.Kind).ShouldBe(["CustomResourceDefinition"]);
}
