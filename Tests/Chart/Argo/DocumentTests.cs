using System.Text.RegularExpressions;
using Enclaves.Api;
using Enclaves.Reconciler.Certificates;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart.Argo;

public sealed partial class DocumentTests
{
    private static readonly string Document = Repository.Read("docs/argocd.md");

    [Fact]
    public void The_health_check_is_installed_under_the_key_of_our_kind() =>
        CustomizationKey().Matches(Document).Select(match => match.Value).Distinct()
            .ShouldBe([$"resource.customizations.health.{NedNames.Group}_{NedNames.Kind}"]);

    [Fact]
    public async Task Every_object_with_an_authority_in_it_is_among_those_whose_differences_are_ignored()
    {
        var application = YamlBlock().Matches(Document).Select(match => Yaml.One(match.Groups[1].Value)["spec"]).Single(spec => spec is not null)!;
        var ignored = application["ignoreDifferences"]!.AsArray().Select(rule => $"{(string)rule!["group"]!}/{(string)rule["kind"]!}");
        var rendered = await Helm.Template("everything");
        ignored.ShouldBe(rendered.Objects.Where(item => item.Text.Contains("caBundle:", StringComparison.Ordinal))
            .Select(item => $"{((string)item.Json["apiVersion"]!).Split('/')[0]}/{item.Kind}"));
    }

    [Fact]
    public void The_manager_of_that_field_is_named() => Document.ShouldContain($"`{WebhookTrust.FieldManager}`");

    [GeneratedRegex(@"resource\.customizations\.health\.[\w.]+")]
    private static partial Regex CustomizationKey();

    [GeneratedRegex("^```yaml\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex YamlBlock();
}
