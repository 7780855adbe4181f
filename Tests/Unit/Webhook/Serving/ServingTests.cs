using System.Net;
using System.Text.Json.Nodes;
using Enclaves.Webhook.Serving;
using Enclaves.Webhook.Validation;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook.Serving;

/// <summary>What an operator sees of the Webhook: readiness, metrics, log and the end.</summary>
public sealed class ServingTests
{
    private const string Password = "correct-horse-battery-staple";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_ready_only_with_a_certificate_and_after_a_review_of_each_endpoint()
    {
        await using var served = await Served.Start(withCertificate: false);
        var (code, text) = await served.Get("/readyz");
        code.ShouldBe(503);
        text.ShouldStartWith("no certificate is loaded from ");
        (await served.Get("/livez")).ShouldBe((200, "ok\n"));
        served.Log.ToString().ShouldNotContain("Ready: ");
        served.WriteCertificate();
        served.Certificate.Reload();
        await served.Until("/readyz", 200, "ok");
        served.Log.ToString().ShouldContain("Ready: every endpoint has answered a review");
    }

    [Fact]
    public async Task Reviews_of_itself_are_counted_apart_and_not_logged()
    {
        await using var served = await Served.Start(level: "debug");
        await served.Until("/metrics", 200, "enclaves_webhook_self_reviews_total{decision=\"changed\",endpoint=\"mutate-pod\",operation=\"CREATE\"}");
        var metrics = (await served.Get("/metrics")).Text;
        metrics.ShouldContain("enclaves_webhook_self_reviews_total{decision=\"allowed\",endpoint=\"validate-ned\",operation=\"CREATE\"}");
        metrics.ShouldNotContain("enclaves_webhook_reviews_total{");
        metrics.ShouldNotContain("enclaves_webhook_review_duration_seconds_count{");
        served.Log.Reviews.ShouldBeEmpty();
    }

    [Fact]
    public async Task Metrics_count_decisions_denials_and_what_is_no_review()
    {
        await using var served = await Served.Start(withCertificate: false);
        var expires = served.WriteCertificate();
        served.Certificate.Reload();
        await served.Until("/readyz", 200, "ok");
        await Post(served, AdmissionPoint.MutateNed, Review(), HttpStatusCode.OK);
        await Post(served, AdmissionPoint.ValidateNed(new ImagePolicy()), Review(), HttpStatusCode.OK);
        await Post(served, AdmissionPoint.ValidateNed(new ImagePolicy()), Review(review => review["userPlugins"]!.AsArray().Add(review["userPlugins"]![0]!.DeepClone())), HttpStatusCode.OK);
        await Post(served, AdmissionPoint.ValidateNed(new ImagePolicy()), Review(review => review["enclave"] = new JsonObject { ["cpuCount"] = 3 }), HttpStatusCode.OK);
        await Post(served, AdmissionPoint.MutateNed, "{", HttpStatusCode.BadRequest);
        // An answer of the exporter may be used again for a moment.
        await served.Until("/metrics", 200, "enclaves_webhook_malformed_requests_total{code=\"400\",endpoint=\"mutate-ned\"} 1");
        await served.Until("/metrics", 200, "enclaves_webhook_denials_total{endpoint=\"validate-ned\",reason=\"Enclave\"} 1");
        var lines = (await served.Get("/metrics")).Text.Split('\n');
        lines.ShouldContain("enclaves_webhook_reviews_total{decision=\"changed\",endpoint=\"mutate-ned\",operation=\"CREATE\"} 1");
        lines.ShouldContain("enclaves_webhook_reviews_total{decision=\"allowed\",endpoint=\"validate-ned\",operation=\"CREATE\"} 1");
        lines.ShouldContain("enclaves_webhook_reviews_total{decision=\"denied\",endpoint=\"validate-ned\",operation=\"CREATE\"} 2");
        lines.ShouldContain("enclaves_webhook_denials_total{endpoint=\"validate-ned\",reason=\"Uniqueness\"} 1");
        lines.ShouldContain("enclaves_webhook_review_duration_seconds_count{endpoint=\"validate-ned\"} 3");
        lines.ShouldContain($"enclaves_webhook_certificate_expiration_timestamp_seconds{{}} {expires}");
        lines.ShouldContain("enclaves_webhook_draining{} 0");
    }

    [Fact]
    public async Task Metrics_are_on_the_plain_port_only()
    {
        await using var served = await Served.Start();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"https://127.0.0.1:{served.HttpsPort}/metrics"));
        request.Headers.Host = $"webhook:{served.HttpPort}";
        using var answer = await served.Client.SendAsync(request, Cancellation);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_log_says_who_asked_for_what_and_what_became_of_it()
    {
        await using var served = await Served.Start();
        await Post(served, AdmissionPoint.ValidateNed(new ImagePolicy()), Review(), HttpStatusCode.OK);
        await Post(served, AdmissionPoint.ValidateNed(new ImagePolicy()), Review(spec => spec["userPlugins"]![0]!["name"] = "A"), HttpStatusCode.OK);
        var (level, fields) = served.Log.Reviews.ShouldHaveSingleItem("what passes as it is is not logged at info");
        level.ShouldBe(LogLevel.Information);
        fields["Uid"].ShouldBe("uid-1");
        (fields["Operation"], fields["Kind"], fields["Namespace"], fields["Name"]).ShouldBe(("CREATE", "NitroEnclaveDeployment", "payments", "checkout"));
        (fields["User"], fields["DryRun"], fields["Decision"]).ShouldBe(("jane", true, "denied"));
        fields["Causes"].ShouldBe("spec.userPlugins[0].name (UserPlugin)");
        fields["Milliseconds"].ShouldBeOfType<double>().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Nothing_of_the_object_is_logged_not_even_where_it_is_refused()
    {
        await using var served = await Served.Start(level: "debug");
        foreach (var point in new[] { AdmissionPoint.MutateNed, AdmissionPoint.ValidateNed(new ImagePolicy()) })
        {
            await Post(served, point, Review(spec =>
            {
                spec["userPlugins"]![0]!["env"]![0]!["value"] = Password;
                spec["userPlugins"]![0]!["image"] = $"https://jane:{Password}@registry.example/app";
            }), HttpStatusCode.OK);
        }

        served.Log.Reviews.Count().ShouldBe(2);
        served.Log.ToString().ShouldNotContain(Password);
    }

    [Fact]
    public async Task A_denial_with_many_causes_makes_a_line_of_bounded_length()
    {
        await using var served = await Served.Start();
        await Post(served, AdmissionPoint.ValidateNed(new ImagePolicy()), Review(spec => spec["userPlugins"] = new JsonArray([.. Enumerable.Range(0, 1000).Select(_ => new JsonObject())])), HttpStatusCode.OK);
        var causes = (string)served.Log.Reviews.ShouldHaveSingleItem().Fields["Causes"]!;
        causes.ShouldEndWith(" more");
        causes.Length.ShouldBeLessThan(1000);
    }

    [Fact]
    public async Task While_it_drains_it_serves_is_not_ready_and_asks_for_new_connections()
    {
        await using var served = await Served.Start();
        var stopping = served.Stop();
        await served.Until("/readyz", 503, "stopping");
        using var answer = await served.Post(AdmissionPoint.ValidateNed(new ImagePolicy()), Review());
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.ConnectionClose.ShouldBe(true);
        await served.Until("/metrics", 200, "enclaves_webhook_draining{} 1");
        await stopping;
    }

    private static async Task Post(Served served, AdmissionPoint point, string body, HttpStatusCode code)
    {
        using var answer = await served.Post(point, body);
        answer.StatusCode.ShouldBe(code);
    }

    private static string Review(Action<JsonNode>? change = null)
    {
        var review = JsonNode.Parse("""
            {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"uid-1","kind":{"group":"k8s.oblv.com","version":"v1alpha1",
            "kind":"NitroEnclaveDeployment"},"name":"checkout","namespace":"payments","operation":"CREATE","dryRun":true,"userInfo":{"username":"jane",
            "groups":["system:authenticated"]},"object":{"metadata":{"name":"checkout","namespace":"payments"},"spec":{"userPlugins":[{"name":"api",
            "image":"registry.example/api@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","env":[{"name":"A","value":"1"}]}]}}}}
            """)!;
        change?.Invoke(review["request"]!["object"]!["spec"]!);
        return review.ToJsonString();
    }
}
