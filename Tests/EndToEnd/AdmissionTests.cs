using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The chart's webhooks as a user meets them through kubectl.</summary>
public sealed class AdmissionTests
{
    [Fact]
    public async Task A_bad_ned_is_refused_with_every_field_path_at_once()
    {
        const string Yaml = """
            apiVersion: k8s.oblv.com/v1alpha1
            kind: NitroEnclaveDeployment
            metadata:
              name: bad
            spec:
              enclave:
                cpuCount: 3
              userPlugins:
              - name: one
                image: "NOT an image"
            """;
        var result = await Kubectl.Try(Yaml, "apply", "-n", "default", "-f", "-");
        result.ExitCode.ShouldNotBe(0);
        result.Error.ShouldContain("spec.enclave.cpuCount");
        result.Error.ShouldContain("spec.userPlugins[0].image");
    }

    [Fact]
    public async Task A_ned_without_plugins_is_refused()
    {
        const string Yaml = """
            apiVersion: k8s.oblv.com/v1alpha1
            kind: NitroEnclaveDeployment
            metadata:
              name: empty
            spec: {}
            """;
        var result = await Kubectl.Try(Yaml, "apply", "-n", "default", "-f", "-");
        result.ExitCode.ShouldNotBe(0);
        result.Error.ShouldContain("spec.userPlugins");
    }

    [Fact]
    public async Task After_apply_there_is_no_diff()
    {
        await using var hello = await Deployed.Apply();
        hello.ApplyOutput.ShouldContain("use 10.210.0.2:5000/enclaves/hello@sha256:");
        var diff = await Kubectl.Try(Deployed.SampleYaml(), "diff", "-n", hello.Namespace, "-f", "-");
        diff.ExitCode.ShouldBe(0, diff.Output + diff.Error);
    }
}
