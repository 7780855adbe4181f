using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The REST API as the chart installs it, called by its Service with the authority that docs/rest.md names.</summary>
public sealed class RestTests
{
    private const string Release = "enclaves";
    private const string ReleaseNamespace = "enclaves-system";

    [Fact]
    public async Task A_running_enclave_is_shown_its_log_is_streamed_and_a_restart_puts_another_in_its_place()
    {
        await using var hello = await Deployed.Apply();
        await hello.UntilReady();
        using var client = await Client(await Token(hello.Namespace));
        var one = $"api/v1/namespaces/{hello.Namespace}/nitroenclavedeployments/{hello.Name}";

        var ned = await Eventually.Get("it is healthy over REST", TimeSpan.FromSeconds(30), async () => await Json(client, one) is var shown && (string?)shown["health"] == "Healthy" ? shown : null);
        ((string?)ned["ready"]).ShouldBe("1/1");
        var row = (await Json(client, one + "/enclaves")).AsArray().ShouldHaveSingleItem()!;
        ((string?)row["state"]).ShouldBe("Running");
        ((string?)row["driver"]).ShouldBe("qemu");
        row["confidential"]!.GetValue<bool>().ShouldBeFalse();
        row["ready"]!.GetValue<bool>().ShouldBeTrue();
        ((string?)row["node"]).ShouldNotBeNullOrEmpty();
        ((string?)row["manifestDigest"]).ShouldBe((string?)ned["manifestDigest"]);
        ((string?)row["containers"]![0]!["state"]).ShouldBe("Running");
        var pod = (string)row["pod"]!;

        await LogIsStreamed(client, $"{one}/enclaves/{pod}/logs");

        using (var reply = await client.PostAsync(new Uri(one + "/restart", UriKind.Relative), null, TestContext.Current.CancellationToken))
            reply.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await Eventually.Holds("another pod runs in its place", Deployed.ReadyLimit, async () =>
            (await Json(client, one + "/enclaves")).AsArray() is [{ } only] && (string?)only["pod"] != pod && only["ready"]!.GetValue<bool>(), hello.Explain);
        (await Json(client, one + "/events")).AsArray().Select(item => (string?)item!["reason"]).ShouldContain("RestartRequested");
    }

    private static async Task LogIsStreamed(HttpClient client, string path)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        end.CancelAfter(TimeSpan.FromSeconds(60));
        using var reply = await client.GetAsync(new Uri(path + "?container=hello&follow=true", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, end.Token);
        reply.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var lines = new StreamReader(await reply.Content.ReadAsStreamAsync(end.Token));
        var first = JsonNode.Parse((await lines.ReadLineAsync(end.Token)).ShouldNotBeNull())!;
        ((string?)first["container"]).ShouldBe("hello");
        ((string?)first["text"]).ShouldNotBeNull().ShouldContain("8080");
    }

    private static async Task<JsonNode> Json(HttpClient client, string path) =>
        JsonNode.Parse(await client.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken))!;

    private static async Task<string> Token(string space)
    {
        await Kubectl.Run("-n", space, "create", "serviceaccount", "operator");
        await Kubectl.Run("-n", space, "create", "rolebinding", "operator", "--clusterrole=edit", $"--serviceaccount={space}:operator");
        // As docs/rest.md says for servers before 1.24 and after.
        var made = await Kubectl.Try(null, "-n", space, "create", "token", "operator");
        if (made.ExitCode == 0)
            return made.Output.Trim();
        var secret = await Eventually.Get("the token of the service account", TimeSpan.FromSeconds(30), async () =>
            (string?)(await Kubectl.Get("serviceaccount", "operator", "-n", space))["secrets"]?[0]?["name"]);
        return System.Text.Encoding.ASCII.GetString(Convert.FromBase64String((string)(await Kubectl.Get("secret", secret, "-n", space))["data"]!["token"]!));
    }

    // By the name that is in the certificate, at the address that it has.
    private static async Task<HttpClient> Client(string token)
    {
        var service = await Kubectl.Get("service", $"{Release}-reconciler", "-n", ReleaseNamespace);
        var address = (string)service["spec"]!["clusterIP"]!;
        var webhooks = await Kubectl.Get("validatingwebhookconfiguration", Release);
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPem(System.Text.Encoding.ASCII.GetString(Convert.FromBase64String((string)webhooks["webhooks"]![0]!["clientConfig"]!["caBundle"]!)));
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(trusted);
        var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Parse(address), 443, cancellation);
                return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri($"https://{Release}-reconciler.{ReleaseNamespace}.svc/"),
            Timeout = TimeSpan.FromSeconds(60),
        };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}
