using System.Globalization;
using System.Net.Http.Headers;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Enclave;

/// <summary>Plugins that serve the others: one that all traffic passes through first, and one that is given logs.</summary>
public sealed class PrivilegedPluginTests
{
    // Lets through what has the right token, and hands it on to the port it is given; a program as a user could write it.
    private const string Gate = """
        use IO::Socket::INET; $SIG{CHLD} = 'IGNORE';
        my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 64, ReuseAddr => 1) or die $!;
        while (1) {
            my $client = $server->accept or next;
            if (fork) { close $client; next }
            my ($head, $allowed) = ('', 0);
            while (my $line = <$client>) { $head .= $line; $allowed = 1 if $line =~ /^Authorization: Bearer let-me-in\r/; last if $line =~ /^\r?$/ }
            if (!$allowed) { print $client "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"; exit }
            my $behind = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $ARGV[1]) or exit;
            print $behind $head; $behind->flush;
            print $client $_ while <$behind>;
            exit;
        }
        """;

    [Fact]
    public async Task All_traffic_passes_through_the_auth_plugin_first()
    {
        var proxy = HostProcess.Ports.Next();
        await using var enclave = LocalEnclave.Start(app => Manifests.One(app) with
        {
            Containers = [Plugin(app, "gate", ContainerRole.Auth, Gate, Text(proxy), Text(app.Ports[0].ContainerPort)) with { ProxyPort = proxy }, app],
        });
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);

        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(15) };
        var address = new Uri($"http://127.0.0.1:{enclave.IngressPort}/");
        await Eventually.Holds("the gate answers", TimeSpan.FromSeconds(30), async () => await CodeOf(client, address) == 401, enclave.Host.Explain);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "let-me-in");
        (await client.GetStringAsync(address, TestContext.Current.CancellationToken)).ShouldStartWith("plugin ");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "wrong");
        (await CodeOf(client, address)).ShouldBe(401);
    }

    [Fact]
    public async Task Without_its_auth_plugin_an_enclave_lets_nothing_through()
    {
        // It ends, and is not started again.
        await using var enclave = LocalEnclave.Start(app => Manifests.One(app) with
        {
            Containers = [Plugin(app, "gate", ContainerRole.Auth, "exit 0") with { ProxyPort = HostProcess.Ports.Next(), RestartPolicy = "Never" }, app],
        });
        await enclave.Host.UntilReadyAsync(LocalEnclave.ReadyLimit);
        await Should.ThrowAsync<HttpRequestException>(() => HostProcess.AskAsync(enclave.IngressPort));
    }

    [Fact]
    public async Task The_logging_plugin_is_given_the_logs_it_may_read_and_no_others()
    {
        // Shows what it finds in its folder, again and again.
        const string shipper = """
            my ($folder) = map { /^\/var\/log\/enclave=(.*)$/ ? $1 : () } split /\n/, $ENV{ENCLAVES_MOUNTS};
            $| = 1; while (1) { for my $file (sort glob "$folder/*") { open my $in, '<', $file or next; print "$file: $_" while <$in> } print "round\n"; sleep 1 }
            """;
        const string talker = "$| = 1; print qq(hello from it\\n); print STDERR qq(and a worry\\n); sleep 1000";
        await using var enclave = LocalEnclave.Start(app => Manifests.One(app) with
        {
            Containers =
            [
                Plugin(app, "shipper", ContainerRole.Logging, shipper) with { LogsAccess = ["open"] },
                Plugin(app, "open", ContainerRole.User, talker), Plugin(app, "private", ContainerRole.User, talker.Replace("hello", "a secret", StringComparison.Ordinal)),
            ],
        });
        await Eventually.Holds("the shipper has read both lines", LocalEnclave.ReadyLimit, () => Task.FromResult(
            Shipped(enclave).Any(line => line.Contains("open.log", StringComparison.Ordinal) && line.Contains("hello from it", StringComparison.Ordinal))
            && Shipped(enclave).Any(line => line.Contains("stderr", StringComparison.Ordinal) && line.Contains("and a worry", StringComparison.Ordinal))), enclave.Host.Explain);
        Shipped(enclave).ShouldNotContain(line => line.Contains("a secret", StringComparison.Ordinal) || line.Contains("shipper.log", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Shipped(LocalEnclave enclave) =>
        enclave.Host.Output.Split('\n').Where(line => line.Contains("\"container\":\"shipper\"", StringComparison.Ordinal));

    private static async Task<int> CodeOf(HttpClient client, Uri address)
    {
        using var answer = await client.GetAsync(address);
        return (int)answer.StatusCode;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static ManifestContainer Plugin(ManifestContainer like, string name, string role, string script, params string[] arguments) =>
        like with { Name = name, Role = role, Command = ["/usr/bin/perl", "-e", script, .. arguments], Ports = [] };
}
