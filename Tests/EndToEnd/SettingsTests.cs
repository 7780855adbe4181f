using Shouldly;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>What a container inside an enclave is given from a ConfigMap.</summary>
public sealed class SettingsTests
{
    [Fact]
    public async Task A_container_sees_the_value_of_a_ConfigMap_and_after_its_change_the_new_one()
    {
        await using var settings = await Deployed.Apply("settings");
        await settings.UntilReady();
        (await settings.Answer()).ShouldContain("good morning from inside the enclave");
        await Kubectl.Run("patch", "configmap", "settings", "-n", settings.Namespace, "--patch", """{"data":{"greeting":"good evening"}}""");
        await Eventually.Holds("the new greeting", Deployed.ReadyLimit,
            async () => (await settings.Answer()).Contains("good evening from inside the enclave", StringComparison.Ordinal), settings.Explain);
    }
}
