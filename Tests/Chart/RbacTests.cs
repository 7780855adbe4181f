using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class RbacTests
{
    [Fact]
    public async Task No_rule_has_a_wildcard()
    {
        var rules = (await Rules("required")).ToList();
        rules.Count.ShouldBeGreaterThan(10);
        rules.SelectMany(rule => rule.Names).ShouldNotContain(name => name.Contains('*'));
    }

    [Fact]
    public async Task Nobody_may_read_secrets_but_the_one_with_the_certificate()
    {
        var rendered = await Helm.Template("required");
        var rule = rendered.Get("Role", $"{Helm.Release}-certificates").Json["rules"]!.AsArray().ShouldHaveSingleItem()!;
        var secret = rendered.OfKind("Secret").ShouldHaveSingleItem();
        rule["resourceNames"]!.AsArray().ShouldHaveSingleItem()!.GetValue<string>().ShouldBe(secret.Name);
        rule["verbs"]!.AsArray().Select(verb => (string)verb!).ShouldBe(["get", "update"]);
        secret.Json["data"].ShouldBeNull("each upgrade would take the certificate away");
        foreach (var role in rendered.OfKind("ClusterRole").Append(rendered.Get("Role", $"{Helm.Release}-reconciler")))
            role.Text.ShouldNotContain("secrets");
    }

    // All events of a cluster would be a flood, of which hardly any is about us: watched are those about NEDs, and only for the REST API.
    [Theory]
    [InlineData("required", ": list create patch watch")]
    [InlineData("without-options", ": list create patch")]
    public async Task Events_are_watched_for_the_rest_api_alone(string values, string verbs)
    {
        var rules = (await Helm.Template(values)).Get("ClusterRole", $"{Helm.Release}-reconciler").Json["rules"]!.AsArray()
            .Where(rule => rule!["resources"]!.AsArray().Any(resource => (string?)resource == "events")).ToList();
        rules.Select(rule => $"{rule!["apiGroups"]![0]}: {string.Join(' ', rule["verbs"]!.AsArray().Select(verb => (string?)verb))}")
            .ShouldBe([verbs]);
    }

    [Fact]
    public async Task Nobody_may_hand_on_rights()
    {
        var names = (await Rules("required")).SelectMany(rule => rule.Names).ToList();
        foreach (var forbidden in new[] { "escalate", "bind", "impersonate", "pods/exec", "serviceaccounts/token" })
            names.ShouldNotContain(forbidden);
    }

    [Fact]
    public async Task Only_the_reconciler_is_given_rights()
    {
        var rendered = await Helm.Template("required");
        var bindings = rendered.OfKind("RoleBinding").Concat(rendered.OfKind("ClusterRoleBinding")).ToList();
        bindings.Count.ShouldBe(4);
        foreach (var subject in bindings.Select(binding => binding.Json["subjects"]!.AsArray().ShouldHaveSingleItem()!))
        {
            ((string?)subject["name"]).ShouldBe((string?)rendered.Get("Deployment", $"{Helm.Release}-reconciler").Pod!["spec"]!["serviceAccountName"]);
            ((string?)subject["namespace"]).ShouldBe(Helm.Namespace);
        }
    }

    [Fact]
    public async Task The_webhook_holds_no_token()
    {
        var rendered = await Helm.Template("everything");
        ((bool?)rendered.Get("ServiceAccount", $"{Helm.Release}-webhook").Json["automountServiceAccountToken"]).ShouldBe(false);
        ((bool?)rendered.Get("Deployment", $"{Helm.Release}-webhook").Pod!["spec"]!["automountServiceAccountToken"]).ShouldBe(false);
    }

    private static async Task<IEnumerable<(string Role, string[] Names)>> Rules(string values)
    {
        var rendered = await Helm.Template(values);
        return rendered.OfKind("ClusterRole").Concat(rendered.OfKind("Role")).SelectMany(role => role.Json["rules"]!.AsArray().Select(rule =>
            (role.Name, rule!.AsObject().SelectMany(field => field.Value!.AsArray()).Select(name => (string)name!).ToArray())));
    }
}
