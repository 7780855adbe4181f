using System.Net;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Cluster.Rest;

/// <summary>The measurements that a NED's status expects, and the key policy that pins them.</summary>
public sealed class KmsPolicyTests(ClusterFixture cluster)
{
    private static readonly string[] Image = [Register(0, 'a'), Register(1, 'b'), Register(2, 'c')];

    [Fact]
    public async Task It_pins_the_image_and_the_manifest_as_they_are_now()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name, Image);
        await space.Create(Neds.Valid());
        var status = (await space.Reconciled(explain: () => api.Reconciler.Log))["status"]!;
        var measurements = status["measurements"]!.AsObject().ToDictionary(register => register.Key, register => (string)register.Value!);
        measurements.Keys.ShouldBe(["PCR0", "PCR1", "PCR16", "PCR2"], ignoreOrder: true);
        measurements["PCR0"].ShouldBe(new string('a', 96));

        var http = api.Http(await cluster.User(space.Name, "reader", RestUsers.Reader));
        var policy = JsonNode.Parse(await Wait.For("the REST API knows the measurements", async () =>
            await http.GetAsync(Policy(space.Name, Role)) is { IsSuccessStatusCode: true } answer ? await answer.Content.ReadAsStringAsync() : null))!;
        policy["Statement"]![0]!["Condition"]!["StringEqualsIgnoreCase"]!.AsObject().ToDictionary(condition => condition.Key, condition => (string)condition.Value!)
            .ShouldBe(measurements.ToDictionary(register => $"kms:RecipientAttestation:{register.Key}", register => register.Value), ignoreOrder: true);

        // Another spec has another manifest, and the registers that are expected follow it.
        await space.Patch(Neds.Name, """{"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:2"}]}}""");
        await Wait.Until("PCR16 is another", async () => (string?)(await space.Ned())["status"]!["measurements"]!["PCR16"] != measurements["PCR16"], explain: () => api.Reconciler.Log);
        ((string?)(await space.Ned())["status"]!["measurements"]!["PCR0"]).ShouldBe(measurements["PCR0"]);

        await space.Patch(Neds.Name, """{"spec":{"enclave":{"debugMode":true}}}""");
        await Wait.Until("nothing is expected in debug mode", async () => (await space.Ned())["status"]!["measurements"] is null, explain: () => api.Reconciler.Log);
        await Wait.Until("and no policy is made", async () => (await http.GetAsync(Policy(space.Name, Role))).StatusCode == HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task None_is_made_that_would_let_others_in()
    {
        await using var space = await TestNamespace.Create(cluster);
        await using var api = await RestApi.Start(space.Name);
        await space.Create(Neds.Valid());
        await space.Reconciled(explain: () => api.Reconciler.Log);
        var http = api.Http(await cluster.User(space.Name, "reader", RestUsers.Reader));
        await Wait.Until("the REST API knows it", async () => (await http.GetAsync(Policy(space.Name, Role))).StatusCode == HttpStatusCode.Conflict);
        (await (await http.GetAsync(Policy(space.Name, Role))).Content.ReadAsStringAsync()).ShouldContain("enclave.images");
        (await http.GetAsync(Policy(space.Name, "*"))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await http.GetAsync(Policy(space.Name, ""))).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    private const string Role = "arn:aws:iam::111122223333:role/web";

    private static string Register(int number, char digit) => $"--images:enclave.eif:pcr{number}={new string(digit, 96)}";

    private static Uri Policy(string space, string principal) =>
        new($"api/v1/namespaces/{space}/nitroenclavedeployments/{Neds.Name}/kms-policy?principal={Uri.EscapeDataString(principal)}", UriKind.Relative);
}
