using System.Net;
using Enclaves.Reconciler.Cluster;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class ApiExceptionTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData(3, 3)]
    [InlineData(3600, 60)]
    public async Task An_overloaded_server_is_asked_again_when_it_says_but_within_a_minute(int? asked, int? pause)
    {
        using var reply = new HttpResponseMessage(HttpStatusCode.TooManyRequests) { Content = new StringContent("") };
        if (asked is { } seconds)
            reply.Headers.Add("Retry-After", $"{seconds}");
        var error = await ApiException.FromAsync("watching pods", reply, TestContext.Current.CancellationToken);
        error.IsTransient.ShouldBeTrue();
        error.RetryAfter.ShouldBe(pause is { } value ? TimeSpan.FromSeconds(value) : null);
    }
}
