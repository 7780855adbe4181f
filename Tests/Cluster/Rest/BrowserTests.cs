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
        await cluster.AllowEverywhere(space.Name, "operator");
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

        // Hangfire's dashboard draws its graphs, and shows the jobs; one is pressed, and runs.
        browser.Open($"{api.Address}/hangfire");
        await Wait.Until("a graph is drawn", () => Task.FromResult(browser.Has("#realtimeGraph.chartjs-render-monitor")));
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
    public async Task Whoever_may_only_look_sees_no_buttons()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var token = await cluster.User(space.Name, "looker");
        await cluster.AllowEverywhere(space.Name, "looker", "list");
        using var browser = new Browser();
        browser.Open($"{api.Address}/hangfire/recurring");
        LogIn(browser, token);
        await browser.Shows("body", "manifests");
        browser.Has("button[data-url$='/recurring/trigger']").ShouldBeFalse();
    }

    [Fact]
    public async Task A_page_of_this_server_acts_with_the_cookie_and_another_sites_does_not()
    {
        await using var space = await TestNamespace.Create(cluster);
        // Nobody works here: what is asked for stays.
        await using var api = await RestApi.StartIdle(cluster, space.Name);
        await space.Create(Neds.Valid());
        var token = await cluster.User(space.Name, "editor", [.. RestUsers.Reader, RestUsers.Rule("k8s.oblv.com", "nitroenclavedeployments", "patch")]);
        var known = api.Generated(token);
        await Wait.Until("it is known", async () => (await known.ListAsync(space.Name)).Items.Count == 1, explain: () => api.Reconciler.Log);
        var press = $"""
            const done = arguments[arguments.length - 1];
            fetch('{api.Address}/api/v1/namespaces/{space.Name}/nitroenclavedeployments/{Neds.Name}/restart', {"{"} method: 'POST', mode: 'no-cors', credentials: 'include' {"}"})
              .then(answer => done(`sent ${"{"}answer.status{"}"}`), () => done('kept back'));
            """;
        using var browser = new Browser();
        browser.Open($"{api.Address}/login");
        LogIn(browser, token);
        browser.Script(press, isAsync: true).ShouldBe("sent 202");
        (await Actions(space)).ShouldBe(1);

        // A page of another site, without any policy of its own: the request goes out, and its answer is hidden from the page.
        browser.Open($"http://localhost:{api.Reconciler.Port}/livez");
        browser.Script(press, isAsync: true).ShouldBe("sent 0");
        (await Actions(space)).ShouldBe(1);
        api.Reconciler.Proxy.Writes.Count(write => write.StartsWith("PATCH", StringComparison.Ordinal) && write.EndsWith($"/{Neds.Name}", StringComparison.Ordinal)).ShouldBe(1);

        // Whoever logs out has no cookie any more.
        browser.Open($"{api.Address}/login");
        await browser.Click("form[action='/logout'] button");
        browser.Settle();
        browser.Path.ShouldBe("/login");
        browser.Has("form[action='/logout']").ShouldBeFalse();
        browser.Script(press, isAsync: true).ShouldBe("sent 401");
    }

    private static async Task<int> Actions(TestNamespace space) =>
        ((await space.Ned())["metadata"]!["annotations"]?.AsObject() ?? []).Count(item => item.Key.StartsWith("action.k8s.oblv.com/", StringComparison.Ordinal));

    private static void LogIn(Browser browser, string token)
    {
        browser.Script("document.querySelector('#token').value = arguments[0]; document.querySelector('form').requestSubmit()", token);
        browser.Settle();
    }
}
