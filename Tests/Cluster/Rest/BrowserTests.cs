using k8s;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>Swagger UI and Hangfire's dashboard in a real Chromium, behind the cookie of /login.</summary>
public sealed class BrowserTests(ClusterFixture cluster)
{
    [Fact]
    public async Task Whoever_logs_in_reads_and_tries_the_API_and_presses_the_buttons_of_jobs()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => api.Reconciler.Log);
        var token = await cluster.User(space.Name, "operator");
        await AllowEverywhere(space.Name, "operator");
        using var browser = new Browser();

        // A browser without a cookie is shown where to log in, and comes back from there.
        browser.Open($"{api.Address}/swagger/index.html");
        browser.Path.ShouldBe("/login");
        LogIn(browser, "nonsense");
        (await browser.Text("[role=alert]")).ShouldContain("does not accept this token");
        browser.Complaints();
        LogIn(browser, token);

        // Swagger UI shows the calls, and tries one with the cookie.
        const string call = "#operations-NitroEnclaveDeployments-listAll ";
        await browser.Click(call + "button.opblock-summary-control");
        await browser.Click(call + ".try-out__btn");
        await browser.Click(call + "button.execute");
        await browser.Shows(call + ".live-responses-table", space.Name);
        browser.Script("return document.cookie").ShouldBe("", "the cookie is out of scripts' reach");

        // Hangfire's dashboard shows the jobs; one is pressed, and runs.
        browser.Open($"{api.Address}/hangfire/recurring");
        await browser.Click("input.js-jobs-list-checkbox[value=manifests]");
        await browser.Click("button[data-url$='/recurring/trigger']");
        await Wait.Until("the job has run", () =>
        {
            browser.Open($"{api.Address}/hangfire/jobs/succeeded");
            return Task.FromResult($"{browser.Script("return document.body.innerText")}".Contains("Manifests", StringComparison.OrdinalIgnoreCase));
        }, explain: () => api.Reconciler.Log);
        browser.Complaints().ShouldBeEmpty("what a page loads and runs is let by the content security policy");
    }

    [Fact]
    public async Task Whoever_may_only_look_sees_no_buttons_and_another_sites_page_presses_none()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var token = await cluster.User(space.Name, "looker");
        await AllowEverywhere(space.Name, "looker", "list");
        using var browser = new Browser();
        browser.Open($"{api.Address}/hangfire/recurring");
        LogIn(browser, token);
        await browser.Shows("body", "manifests");
        browser.Has("button[data-url$='/recurring/trigger']").ShouldBeFalse();

        // The same browser, a page of another site that posts to this one: without the cookie it is nobody.
        browser.Open($"https://localhost:{api.Port}/login");
        var answered = browser.Script($"""
            const done = arguments[arguments.length - 1];
            fetch('{api.Address}/api/v1/namespaces/{space.Name}/nitroenclavedeployments/{Neds.Name}/restart', {"{"} method: 'POST', mode: 'no-cors', credentials: 'include' {"}"})
              .then(() => done('sent'), () => done('kept back'));
            """, isAsync: true);
        answered.ShouldBeOneOf("sent", "kept back");
        api.Reconciler.Proxy.Writes.ShouldNotContain(write => write.StartsWith("PATCH", StringComparison.Ordinal) && write.EndsWith($"/{Neds.Name}", StringComparison.Ordinal));
    }

    private static void LogIn(Browser browser, string token)
    {
        browser.Script("document.querySelector('#token').value = arguments[0]; document.querySelector('form').requestSubmit()", token);
        browser.Settle();
    }

    private async Task AllowEverywhere(string space, string user, params string[] verbs)
    {
        var role = await cluster.Client.RbacAuthorizationV1.CreateClusterRoleAsync(new V1ClusterRole
        {
            Metadata = new V1ObjectMeta { Name = $"{space}-{user}", OwnerReferences = [await Owner(space)] },
            Rules = [RestUsers.Rule("k8s.oblv.com", "nitroenclavedeployments", verbs.Length > 0 ? verbs : ["get", "list", "watch", "patch"])],
        });
        await cluster.Client.RbacAuthorizationV1.CreateClusterRoleBindingAsync(new V1ClusterRoleBinding
        {
            Metadata = new V1ObjectMeta { Name = $"{space}-{user}", OwnerReferences = [await Owner(space)] },
            RoleRef = new V1RoleRef { ApiGroup = "rbac.authorization.k8s.io", Kind = "ClusterRole", Name = role.Name() },
            Subjects = [new Rbacv1Subject { Kind = "ServiceAccount", Name = user, NamespaceProperty = space }],
        });
    }

    // They go with the namespace.
    private async Task<V1OwnerReference> Owner(string space)
    {
        var owner = await cluster.Client.CoreV1.ReadNamespaceAsync(space);
        return new V1OwnerReference { ApiVersion = "v1", Kind = "Namespace", Name = space, Uid = owner.Uid() };
    }
}
