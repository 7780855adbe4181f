using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Tests.Cluster.Client;
using k8s;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>Kubernetes RBAC is the only policy, and whoever is refused is told what is missing.</summary>
public sealed class RestAccessTests(ClusterFixture cluster)
{
    [Fact]
    public async Task Without_a_good_token_nothing_is_told()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var good = await cluster.User(space.Name, "reader", RestUsers.Reader);
        var path = $"api/v1/namespaces/{space.Name}/nitroenclavedeployments";
        (await Get(api.Http(good), path)).Status.ShouldBe(HttpStatusCode.OK);
        var forged = good[..^8] + (good.EndsWith("AAAAAAAA", StringComparison.Ordinal) ? "BBBBBBBB" : "AAAAAAAA");
        foreach (var token in new[] { null, "nonsense", forged, Expired(good), new string('x', 20_000) })
        {
            var (status, problem, media) = await Get(api.Http(), path, token);
            status.ShouldBe(HttpStatusCode.Unauthorized, token);
            media.ShouldBe("application/problem+json");
            ((string?)problem["detail"]).ShouldNotBeNull().ShouldContain("/login");
        }
    }

    [Fact]
    public async Task Each_right_that_is_missing_is_named()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => api.Reconciler.Log);
        var one = $"api/v1/namespaces/{space.Name}/nitroenclavedeployments/{Neds.Name}";
        await Wait.Until("its pod is known", async () => (await space.Pods()).Count == 1);
        var pod = (await space.Pods())[0].Metadata.Name;
        var nobody = api.Http(await cluster.User(space.Name, "nobody"));
        var only = api.Http(await cluster.User(space.Name, "only-get", RestUsers.Rule("k8s.oblv.com", "nitroenclavedeployments", "get")));
        foreach (var (client, path, right) in new[]
        {
            (nobody, $"api/v1/namespaces/{space.Name}/nitroenclavedeployments", "list nitroenclavedeployments"),
            (nobody, "api/v1/nitroenclavedeployments", "list nitroenclavedeployments"), (nobody, "api/v1/summary", "list nitroenclavedeployments"), (nobody, "api/v1/watch", "watch nitroenclavedeployments"),
            (nobody, one, "get nitroenclavedeployments"), (nobody, $"{one}-that-is-not-there", "get nitroenclavedeployments"),
            (only, one + "/events", "list events"), (only, one + "/enclaves", "list pods"), (only, one + "/manifest", "get configmaps"), (only, $"{one}/enclaves/{pod}/logs", "get pods/log"),
            (nobody, "hangfire", "list nitroenclavedeployments"),
        })
        {
            var (status, problem, media) = await Get(client, path);
            status.ShouldBe(HttpStatusCode.Forbidden, path);
            media.ShouldBe("application/problem+json");
            ((string?)problem["detail"]).ShouldNotBeNull().ShouldContain(right);
        }

        foreach (var action in new[] { "restart", "reconcile" })
        {
            using var reply = await only.PostAsync(new Uri($"{one}/{action}", UriKind.Relative), null);
            reply.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            (await reply.Content.ReadAsStringAsync()).ShouldContain("patch nitroenclavedeployments");
        }

        (await space.Ned())["metadata"]!["annotations"].ShouldBeNull("nothing was asked for");
    }

    [Fact]
    public async Task Of_all_namespaces_those_are_shown_that_the_caller_may_see()
    {
        await using var mine = await TestNamespace.Create(cluster);
        await using var other = await TestNamespace.Create(cluster);
        await using var api = await RestApi.StartStandby(cluster, mine.Name);
        var token = await cluster.User(mine.Name, "reader", RestUsers.Reader);
        await mine.Create(Neds.Valid());
        await other.Create(Neds.Valid());
        var client = api.Generated(token);
        await Wait.Until("mine is shown", async () => (await client.ListAllAsync()).Items.Any(item => item.Namespace == mine.Name), explain: () => api.Reconciler.Log);
        (await client.ListAllAsync()).Items.ShouldAllBe(item => item.Namespace == mine.Name);
        (await client.GetSummaryAsync()).Neds.ShouldBe(1);
        var refused = await Should.ThrowAsync<ApiException<ProblemDetails>>(() => client.ListAsync(other.Name));
        refused.StatusCode.ShouldBe(403);

        await cluster.Allow(other.Name, mine.Name, "reader", RestUsers.Reader);
        await Wait.Until("the other is shown too", async () => (await client.ListAllAsync()).Items.Any(item => item.Namespace == other.Name));
        (await client.ListAllAsync()).Items.Select(item => item.Namespace).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task Nonsense_is_answered_with_what_is_wrong()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var client = api.Http(await cluster.User(space.Name, "reader", RestUsers.Reader));
        var neds = $"api/v1/namespaces/{space.Name}/nitroenclavedeployments";
        foreach (var (path, status) in new[]
        {
            (neds + "?limit=0", 422), (neds + "?limit=many", 422), (neds + "?labelSelector=a=b=c", 422), (neds + "?labelSelector=" + new string('a', 5000), 422), (neds + "?continue=%00", 422),
            (neds + "/nope", 404), (neds + "/nope/enclaves/nope/logs", 404), (neds + "/" + new string('n', 4000), 404), ("api/v1/nope", 404), ("api/v2/nitroenclavedeployments", 404),
            (neds + "/..%2f..%2fsecrets", 404), (neds + "/%2e%2e", 404), ("api/v1/namespaces/..%2f..%2fkube-system/nitroenclavedeployments", 403),
        })
        {
            var (answered, problem, media) = await Get(client, path);
            ((int)answered).ShouldBe(status, path);
            media.ShouldBe("application/problem+json", path);
            ((string?)problem["detail"]).ShouldNotBeNullOrEmpty(path);
        }

        // What is no request at all does not get as far as a problem document.
        ((int)(await Get(client, neds + "/a%00b")).Status).ShouldBe(400);
        using var huge = await client.GetAsync(new Uri(neds + "?labelSelector=" + new string('a', 30_000), UriKind.Relative));
        ((int)huge.StatusCode).ShouldBe(414);
        (await Get(client, neds)).Status.ShouldBe(HttpStatusCode.OK, "nothing has suffered");
    }

    [Fact]
    public async Task While_the_API_server_is_away_nobody_is_let_in_and_everybody_is_told_to_come_again()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        var token = await cluster.User(space.Name, "reader", RestUsers.Reader);
        api.Reconciler.Proxy.Refuses = true;
        var (status, _, media) = await Get(api.Http(token), $"api/v1/namespaces/{space.Name}/nitroenclavedeployments");
        status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        media.ShouldBe("application/problem+json");
        api.Reconciler.Proxy.Refuses = false;
        await Wait.Until("it answers again", async () => (await Get(api.Http(token), $"api/v1/namespaces/{space.Name}/nitroenclavedeployments")).Status == HttpStatusCode.OK);
    }

    // Signed as the cluster signs, and past.
    private static string Expired(string token)
    {
        var key = Path.Combine(Path.GetDirectoryName(DevelopmentCluster.KubeconfigPath)!, "pki/service-accounts.key");
        var parts = token.Split('.');
        var claims = JsonNode.Parse(Decode(parts[1]))!.AsObject();
        var past = DateTimeOffset.UtcNow.AddHours(-2).ToUnixTimeSeconds();
        (claims["iat"], claims["nbf"], claims["exp"]) = (past, past, past + 3600);
        var signed = $"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        using var rsa = RSA.Create();
        rsa.ImportFromPem(File.ReadAllText(key));
        return $"{signed}.{System.Buffers.Text.Base64Url.EncodeToString(rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    private static byte[] Decode(string part) => System.Buffers.Text.Base64Url.DecodeFromChars(part);

    private static async Task<(HttpStatusCode Status, JsonNode Body, string? Media)> Get(HttpClient client, string path, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{client.BaseAddress}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (token is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var reply = await client.SendAsync(request);
        var text = await reply.Content.ReadAsStringAsync();
        return (reply.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)! : new JsonObject(), reply.Content.Headers.ContentType?.MediaType);
    }
}
