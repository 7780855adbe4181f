using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class RbacTests
{
    [Fact]
    public async Task No_rule_has_a_wildcard()
    {
        var rules = (await Rules()).ToList();
        rules.Count.ShouldBeGreaterThan(10);
        rules.SelectMany(rule => rule.Names).ShouldNotContain(name => name.Contains('*'));
    }

    [Fact]
    public async Task Nobody_may_read_secrets_or_hand_on_rights()
    {
        var names = (await Rules()).SelectMany(rule => rule.Names).ToList();
        foreach (var forbidden in new[] { "secrets", "escalate", "bind", "impersonate", "pods/exec", "serviceaccounts/token" })
            names.ShouldNotContain(forbidden);
    }

    [Fact]
    public async Task Only_the_reconciler_is_given_rights()
    {
        var rendered = await Helm.Template("everything");
        rendered.OfKind("RoleBinding").ShouldBeEmpty();
        var binding = rendered.OfKind("ClusterRoleBinding").ShouldHaveSingleItem().Json;
        ((string?)binding["roleRef"]!["name"]).ShouldBe($"{Helm.Release}-reconciler");
        var subject = binding["subjects"]!.AsArray().ShouldHaveSingleItem()!;
        ((string?)subject["name"]).ShouldBe((string?)rendered.Get("Deployment", $"{Helm.Release}-reconciler").Pod!["spec"]!["serviceAccountName"]);
        ((string?)subject["namespace"]).ShouldBe(Helm.Namespace);
    }

    [Fact]
    public async Task The_webhook_holds_no_token()
    {
        var rendered = await Helm.Template("everything");
        ((bool?)rendered.Get("ServiceAccount", $"{Helm.Release}-webhook").Json["automountServiceAccountToken"]).ShouldBe(false);
        ((bool?)rendered.Get("Deployment", $"{Helm.Release}-webhook").Pod!["spec"]!["automountServiceAccountToken"]).ShouldBe(false);
    }

    private static async Task<IEnumerable<(string Role, string[] Names)>> Rules()
    {
        var rendered = await Helm.Template("everything");
        return rendered.OfKind("ClusterRole").Concat(rendered.OfKind("Role")).SelectMany(role => role.Json["rules"]!.AsArray().Select(rule =>
            (role.Name, rule!.AsObject().SelectMany(field => field.Value!.AsArray()).Select(name => (string)name!).ToArray())));
    }
}
