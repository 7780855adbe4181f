using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The sample with variables and files from ConfigMap and Secret.</summary>
public sealed class SecretsAndVolumesTests
{
    // A kubelet looks at the Secrets of its pods about once a minute.
    private static readonly TimeSpan Rotation = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Containers_have_what_the_sample_says_and_a_rotated_Secret_reaches_them_without_another_pod()
    {
        await using var sample = await Deployed.Apply("secrets-and-volumes");
        await sample.UntilReady();
        (await sample.Answer()).ShouldStartWith("hello with listen = 8080, a token of 10 characters and 10 in its file, from inside the enclave");
        var pod = (string?)(await sample.Pod())["metadata"]!["uid"];

        await Kubectl.Run("patch", "secret", "secrets-and-volumes", "-n", sample.Namespace, "--patch", """{"stringData":{"token":"r0tated"}}""");
        await Eventually.Holds("the new token", Rotation,
            async () => await TryAnswer(sample) is { } answer && answer.Contains("a token of 7 characters and 7 in its file", StringComparison.Ordinal), sample.Explain);
        ((string?)(await sample.Pod())["metadata"]!["uid"]).ShouldBe(pod);
        var status = await sample.Status();
        status["boots"]!.GetValue<int>().ShouldBe(1);
        status["containers"]![0]!["lastTermination"]!["message"]!.GetValue<string>().ShouldBe("a Secret that it uses has changed");
        var logs = await Kubectl.Run("logs", "-n", sample.Namespace, $"deployment/{sample.Name}");
        foreach (var text in new[] { status.ToJsonString(), logs, (await sample.Ned()).ToJsonString() })
        {
            text.ShouldNotContain("r0tated");
            text.ShouldNotContain("replace-me");
        }
    }

    // While the container is started again there is nobody to answer.
    private static async Task<string?> TryAnswer(Deployed sample)
    {
        try
        {
            return await sample.Answer();
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
