using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The Webhook's certificate is replaced, and then the Webhook itself, while users go on applying NEDs.</summary>
public sealed class CertificateTests
{
    private const string System = "enclaves-system";
    private const string Secret = "enclaves-webhook-certificate";
    private const int Users = 2;

    // Half a minute until every API server surely trusts the new authority, with room for a busy machine.
    private static readonly TimeSpan RotationLimit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task No_review_fails_through_a_rotation_and_a_rolling_restart()
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var refusals = new ConcurrentQueue<string>();
        var users = Enumerable.Range(0, Users).Select(_ => KeepApplying(refusals, over.Token)).ToList();
        var before = await Issued();
        await Kubectl.Run("annotate", "secret", Secret, "-n", System, "k8s.oblv.com/rotate=", "--overwrite");
        await Eventually.Holds("a certificate of a new authority", RotationLimit, async () => await Issued() is var now && now.Authority != before.Authority && now.Leaf != before.Leaf);
        await Kubectl.Run("rollout", "restart", "deployment/enclaves-webhook", "-n", System);
        await Kubectl.Run("rollout", "status", "deployment/enclaves-webhook", "-n", System, "--timeout=300s");
        var after = await Issued();
        foreach (var address in await Addresses())
            (await Served(address)).ShouldBe(after.Leaf, $"the Webhook at {address}");
        await over.CancelAsync();
        var applied = await Task.WhenAll(users);
        refusals.ShouldBeEmpty();
        applied.Min().ShouldBeGreaterThan(10);
    }

    private static async Task<int> KeepApplying(ConcurrentQueue<string> refusals, CancellationToken over)
    {
        var count = 0;
        for (; !over.IsCancellationRequested; count++)
        {
            var result = await Kubectl.Try(Deployed.SampleYaml(), "create", "--dry-run=server", "-n", "default", "-o", "name", "-f", "-");
            if (result.ExitCode != 0 && !result.Error.Contains("already exists", StringComparison.Ordinal))
                refusals.Enqueue(result.Error);
        }

        return count;
    }

    private static async Task<(string Authority, string Leaf)> Issued()
    {
        var data = (await Kubectl.Get("secret", Secret, "-n", System))["data"]!;
        string Thumbprint(string key)
        {
            using var certificate = X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(Convert.FromBase64String((string)data[key]!)));
            return certificate.Thumbprint;
        }

        return (Thumbprint("ca.crt"), Thumbprint("tls.crt"));
    }

    private static async Task<IReadOnlyList<string>> Addresses()
    {
        var pods = await Kubectl.Get("pods", "-n", System, "-l", "app.kubernetes.io/component=webhook");
        var addresses = pods["items"]!.AsArray().Where(pod => pod!["metadata"]!["deletionTimestamp"] is null).Select(pod => (string)pod!["status"]!["podIP"]!).ToList();
        addresses.Count.ShouldBeGreaterThan(1);
        return addresses;
    }

    // Only to see which certificate it is: that API servers accept it is what the rest of the test is about.
    private static async Task<string> Served(string address)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address, 8443, TestContext.Current.CancellationToken);
        string? thumbprint = null;
        await using var stream = new SslStream(client.GetStream(), false, (_, certificate, _, _) => (thumbprint = certificate!.GetCertHashString()) is not null);
        await stream.AuthenticateAsClientAsync("enclaves-webhook");
        return thumbprint.ShouldNotBeNull();
    }
}
