using Enclaves.Orchestrator.Containers;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class PullProblemTests
{
    private static readonly string[] Registries = ["registry.example", "10.1.2.3:5000"];

    [Theory]
    [InlineData("failed to do request: Get \"https://blobs.example/a?b=c\": dial tcp: lookup blobs.example: no such host", "blobs.example")]
    [InlineData("failed to authorize: failed to fetch anonymous token: Get \"https://auth.example:8443/token?service=x\": dial tcp: lookup auth.example", "auth.example:8443")]
    [InlineData("Get \"https://registry.example/v2/\": redirect: Get \"http://10.9.9.9:80/x\": connect: network is unreachable", "10.9.9.9:80")]
    public void A_host_that_pulls_may_not_reach_is_named_with_what_to_do(string detail, string host) =>
        PullProblem.Explain(detail, Registries).ShouldBe($"{detail}; the registry sends pulls to {host}, which they may not reach: add it to spec.enclave.registries");

    [Theory]
    [InlineData("Get \"https://registry.example/v2/app/manifests/1\": 403 Forbidden")]
    [InlineData("Head \"https://10.1.2.3:5000/v2/app/manifests/1\": EOF")]
    [InlineData("not found")]
    public void What_the_manifest_lists_has_another_problem(string detail) => PullProblem.Explain(detail, Registries).ShouldBe(detail);
}
