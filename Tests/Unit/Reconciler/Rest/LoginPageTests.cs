using System.Net;
using System.Net.Http.Headers;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class LoginPageTests
{
    [Theory]
    [InlineData("/hangfire/recurring?from=1", "/hangfire/recurring?from=1")]
    [InlineData("//evil.example", "/swagger/index.html")]
    [InlineData("/\t/evil.example", "/swagger/index.html")]
    [InlineData("/\u0001", "/swagger/index.html")]
    [InlineData("/\r\nSet-Cookie: a=b", "/swagger/index.html")]
    [InlineData("/größe", "/swagger/index.html")]
    [InlineData("https://evil.example", "/swagger/index.html")]
    [InlineData("/login", "/swagger/index.html")]
    public async Task Whoever_logs_in_comes_to_a_page_of_this_server(string asked, string led)
    {
        await using var host = await RestHost.Start();
        host.Kubernetes.Users["good"] = "somebody";
        using var reply = await Post(host, "login", new FormUrlEncodedContent([new("token", "good"), new("returnUrl", asked)]));
        reply.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        reply.Headers.GetValues("Location").ShouldBe([led]);
        reply.Headers.Contains("Set-Cookie").ShouldBeTrue();
    }

    [Fact]
    public async Task A_form_that_is_none_is_no_defect()
    {
        await using var host = await RestHost.Start();
        using var withoutBoundary = new StringContent("anything");
        withoutBoundary.Headers.ContentType = new MediaTypeHeaderValue("multipart/form-data");
        using var tooManyKeys = new FormUrlEncodedContent(Enumerable.Range(0, 2000).Select(number => new KeyValuePair<string?, string?>($"key-{number}", "")));
        foreach (var form in new HttpContent[] { withoutBoundary, tooManyKeys })
        {
            using var reply = await Post(host, "login", form);
            reply.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        }
    }

    [Fact]
    public async Task Whoever_is_logged_in_finds_a_way_out()
    {
        await using var host = await RestHost.Start();
        host.Kubernetes.Users["good"] = "somebody";
        (await Page(host, null)).ShouldNotContain("/logout");
        using var login = await Post(host, "login", new FormUrlEncodedContent([new("token", "good")]));
        var cookie = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        (await Page(host, cookie)).ShouldContain("action=\"/logout\"");
        using var logout = await Post(host, "logout", null, cookie);
        logout.Headers.GetValues("Set-Cookie").Single().ShouldStartWith($"{cookie.Split('=')[0]}=;");
    }

    [Theory]
    [InlineData("same-origin", HttpStatusCode.Accepted)]
    [InlineData("cross-site", HttpStatusCode.Unauthorized)]
    public async Task The_cookie_acts_only_from_a_page_of_this_server(string site, HttpStatusCode status)
    {
        await using var host = await RestHost.Start();
        host.Neds.Put("a", "one");
        host.Kubernetes.Users["good"] = "somebody";
        host.Kubernetes.Answer = _ => FakeKubernetes.Json(HttpStatusCode.OK, """{"metadata":{"name":"one","namespace":"a"}}""");
        using var login = await Post(host, "login", new FormUrlEncodedContent([new("token", "good")]));
        var cookie = login.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var reply = await Post(host, "api/v1/namespaces/a/nitroenclavedeployments/one/restart", null, cookie, site);
        reply.StatusCode.ShouldBe(status);
        host.Kubernetes.Asked.Any(asked => asked.StartsWith("PATCH", StringComparison.Ordinal)).ShouldBe(status == HttpStatusCode.Accepted);
    }

    private static async Task<HttpResponseMessage> Post(RestHost host, string path, HttpContent? form, string? cookie = null, string site = "same-origin")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = form };
        request.Headers.Add("Sec-Fetch-Site", site);
        if (cookie is not null)
            request.Headers.Add("Cookie", cookie);
        return await host.Client().SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<string> Page(RestHost host, string? cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "login");
        if (cookie is not null)
            request.Headers.Add("Cookie", cookie);
        using var reply = await host.Client().SendAsync(request, TestContext.Current.CancellationToken);
        return await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
