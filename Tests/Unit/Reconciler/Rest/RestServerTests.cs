using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Rest.Serving;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

/// <summary>Whom the REST API answers, and when.</summary>
public sealed class RestServerTests
{
    private const string Ned = "api/v1/namespaces/a/nitroenclavedeployments/one";

    [Theory]
    [InlineData("api/v1/nitroenclavedeployments")]
    [InlineData(Ned)]
    [InlineData("api/v1/watch")]
    public async Task Before_all_is_known_nothing_is_said_not_to_be(string path)
    {
        await using var host = await RestHost.Start();
        host.IsWhole = false;
        var client = host.Client("reader");
        using (var early = await Get(client, path))
        {
            early.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            early.Headers.RetryAfter.ShouldNotBeNull();
            early.Content.Headers.ContentType!.MediaType.ShouldBe(Problems.MediaType);
        }

        host.IsWhole = true;
        host.Neds.Put("a", "one");
        using var then = await Get(client, path);
        then.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_list_without_NEDs_is_empty_for_whoever_may_have_some_and_forbidden_to_whoever_may_not()
    {
        await using var host = await RestHost.Start();
        host.Neds.PutNamespace("a");
        host.Kubernetes.May = (user, _, space) => user == "reader" && space == "a";
        foreach (var path in new[] { "api/v1/nitroenclavedeployments", "api/v1/summary" })
        {
            using var mine = await Get(host.Client("reader"), path);
            mine.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            using var theirs = await Get(host.Client("nobody"), path);
            theirs.StatusCode.ShouldBe(HttpStatusCode.Forbidden, path);
        }
    }

    [Fact]
    public async Task One_callers_streams_leave_room_for_those_of_another_whatever_tokens_it_has()
    {
        await using var host = await RestHost.Start();
        var tokens = new[] { host.Client("greedy-1", "greedy"), host.Client("greedy-2", "greedy") };
        var open = new List<HttpResponseMessage>();
        for (var stream = 0; stream < RestLimits.StreamsOfOne; stream++)
            open.Add(await Get(tokens[stream % 2], "api/v1/watch"));
        open.ShouldAllBe(reply => reply.StatusCode == HttpStatusCode.OK);
        foreach (var client in tokens)
        {
            using var refused = await Get(client, "api/v1/watch");
            refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
            refused.Headers.RetryAfter.ShouldNotBeNull();
        }

        using var other = await Get(host.Client("modest"), "api/v1/watch");
        other.StatusCode.ShouldBe(HttpStatusCode.OK);
        open.ForEach(reply => reply.Dispose());
    }

    [Fact]
    public async Task A_flood_of_forged_tokens_does_not_keep_out_whoever_was_let_in_before()
    {
        await using var host = await RestHost.Start();
        var held = new TaskCompletionSource();
        var client = host.Client("reader");
        (await Get(client, "api/v1/summary")).Dispose();
        host.Time.Advance(TimeSpan.FromSeconds(5));
        host.Kubernetes.BeforeTokenReview = token => token.StartsWith("forged", StringComparison.Ordinal) ? held.Task : Task.CompletedTask;
        var stranger = host.Client();
        // More than the API server is asked about at a time.
        var flood = Enumerable.Range(0, 90).Select(async number =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "api/v1/summary") { Version = HttpVersion.Version20 };
            request.Headers.Add("Authorization", $"Bearer forged-{number}");
            using var reply = await stranger.SendAsync(request, TestContext.Current.CancellationToken);
            return reply.StatusCode;
        }).ToList();
        await RestHost.Until(() => host.Kubernetes.Asked.Count(asked => asked.EndsWith("/tokenreviews", StringComparison.Ordinal)) == 1 + 8);

        // What was answered of the good token has run out by now.
        host.Time.Advance(TimeSpan.FromSeconds(6));
        using (var reply = await Get(client, "api/v1/summary"))
            reply.StatusCode.ShouldBe(HttpStatusCode.OK);
        held.SetResult();
        (await Task.WhenAll(flood)).ShouldAllBe(status => status == HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden, HttpStatusCode.Conflict)]
    [InlineData(HttpStatusCode.UnprocessableEntity, HttpStatusCode.Conflict)]
    [InlineData(HttpStatusCode.InternalServerError, HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.TooManyRequests, HttpStatusCode.ServiceUnavailable)]
    public async Task What_the_API_server_refuses_is_not_called_its_silence(HttpStatusCode answered, HttpStatusCode told)
    {
        await using var host = await RestHost.Start();
        host.Neds.Put("a", "one");
        host.Kubernetes.Answer = _ => FakeKubernetes.Json(answered, """{"reason":"Told","message":"the policy freeze lets nothing change"}""");
        using var reply = await host.Client("editor").PostAsync(new Uri(Ned + "/restart", UriKind.Relative), null, TestContext.Current.CancellationToken);
        reply.StatusCode.ShouldBe(told);
        var detail = (string?)(await reply.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!["detail"];
        if (told == HttpStatusCode.Conflict)
            detail.ShouldNotBeNull().ShouldContain("the policy freeze lets nothing change");
    }

    [Fact]
    public async Task In_a_namespace_that_is_left_alone_no_action_waits_for_ever()
    {
        await using var host = await RestHost.Start();
        host.Neds.PutNamespace("a", isIgnored: true);
        host.Neds.Put("a", "one");
        using var reply = await host.Client("editor").PostAsync(new Uri(Ned + "/reconcile", UriKind.Relative), null, TestContext.Current.CancellationToken);
        reply.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("k8s.oblv.com/ignore");
        host.Kubernetes.Asked.ShouldNotContain(asked => asked.StartsWith("PATCH", StringComparison.Ordinal));
    }

    private static Task<HttpResponseMessage> Get(HttpClient client, string path) =>
        client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
}
