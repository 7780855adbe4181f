using Enclaves.Reconciler.Rest.Auth;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

public sealed class SameOriginTests
{
    [Theory]
    [InlineData("GET", null, null, true)]
    [InlineData("POST", "same-origin", null, true)]
    [InlineData("POST", "same-site", null, false)]
    [InlineData("POST", "cross-site", "https://enclaves.example", false)]
    [InlineData("POST", "none", null, false)]
    [InlineData("POST", null, "https://enclaves.example", true)]
    [InlineData("POST", null, "https://evil.example", false)]
    [InlineData("POST", null, "null", false)]
    [InlineData("POST", null, null, false)]
    public void A_cookie_acts_only_from_a_page_of_this_server(string method, string? site, string? origin, bool allowed)
    {
        var request = new DefaultHttpContext().Request;
        (request.Method, request.Scheme, request.Host) = (method, "https", new HostString("enclaves.example"));
        if (site is not null)
            request.Headers["Sec-Fetch-Site"] = site;
        if (origin is not null)
            request.Headers.Origin = origin;
        SameOrigin.Allows(request).ShouldBe(allowed);
    }
}
