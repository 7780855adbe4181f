using Enclaves.Tests.EndToEnd;
using Enclaves.Tests.Enclave.Harness;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Vm;

/// <summary>Pulls from a registry that asks for a token of another host and keeps its layers on a third.</summary>
public sealed class PullTests
{
    [Fact]
    public async Task With_a_password_and_all_of_its_hosts_an_image_is_pulled()
    {
        await using var registry = await StrictRegistry.StartAsync();
        await using var machine = Start(registry, StrictRegistry.Password, registry.Host, registry.TokenHost, registry.BlobHost);
        await Eventually.Holds("the enclave is ready", Machine.ReadyLimit, async () => (await machine.Host.ReadyzAsync()) == System.Net.HttpStatusCode.OK,
            async () => await machine.Host.Explain() + await registry.Explain());
        (await HostProcess.AskAsync(machine.IngressPort)).ShouldContain("from inside the enclave");
        (await registry.Explain()).ShouldContain($"{registry.BlobHost} GET ");
        machine.Host.Output.ShouldNotContain(StrictRegistry.Password);
    }

    [Fact]
    public async Task A_host_that_the_registry_redirects_to_is_named_where_it_has_to_be_added()
    {
        await using var registry = await StrictRegistry.StartAsync();
        await using var machine = Start(registry, StrictRegistry.Password, registry.Host, registry.TokenHost);
        (await Problem(machine, registry)).ShouldContain($"the registry sends pulls to {registry.BlobHost}, which they may not reach: add it to spec.enclave.registries");
        machine.Host.Output.ShouldNotContain(StrictRegistry.Password);
    }

    private static async Task<string> Problem(Machine machine, StrictRegistry registry)
    {
        var message = "";
        await Eventually.Holds("the pull has failed", Machine.ReadyLimit, async () =>
        {
            var container = (await machine.Host.StatusAsync())["containers"]!.AsArray().FirstOrDefault();
            message = (string?)container?["reason"] is "ErrImagePull" or "ImagePullBackOff" ? (string?)container!["message"] ?? "" : "";
            return message.Length > 0;
        }, async () => await machine.Host.Explain() + await registry.Explain());
        return message;
    }

    private static Machine Start(StrictRegistry registry, string password, params string[] hosts) => Machine.Start(
        $"{registry.Host}/enclaves/hello:dev", app => Manifests.One(app, hosts), [("pull/.dockerconfigjson", registry.DockerConfig.Replace(StrictRegistry.Password, password, StringComparison.Ordinal))],
        ["--dns-servers", registry.NameServer]);
}
