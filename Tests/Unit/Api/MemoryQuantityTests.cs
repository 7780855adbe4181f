using System.Text.Json;
using Enclaves.Api;
using k8s;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Api;

public sealed class MemoryQuantityTests
{
    [Theory]
    [InlineData("1Gi", 1L << 30)]
    [InlineData("1.5Gi", 3L << 29)]
    [InlineData("1073741824", 1L << 30)]
    [InlineData("1e3", 1000)]
    [InlineData(".5Ki", 512)]
    public void Quantities_are_read_in_bytes(string text, long bytes)
    {
        MemoryQuantity.TryParse(text, out var read, out _).ShouldBeTrue();
        read.ShouldBe(bytes);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1,5Gi")]
    [InlineData(" 1Gi")]
    [InlineData("1 Gi")]
    [InlineData("-1Gi")]
    [InlineData("1Xi")]
    [InlineData("1m")]
    [InlineData("1e999999999")]
    [InlineData("9999999999Gi")]
    [InlineData("1e99")]
    public void What_is_no_amount_of_memory_is_refused_and_never_thrown(string? text)
    {
        MemoryQuantity.TryParse(text, out _, out var problem).ShouldBeFalse();
        problem!.ShouldContain("such as 1Gi");
    }

    [Theory]
    [InlineData("\"1Gi\"", "1Gi")]
    [InlineData("1073741824", "1073741824")]
    public void Json_may_hold_a_string_or_a_number(string json, string memory) =>
        JsonSerializer.Deserialize<EnclaveSpec>($"{{\"memory\":{json}}}")!.Memory.ShouldBe(memory);

    [Fact]
    public void The_client_library_reads_a_whole_object()
    {
        var ned = KubernetesJson.Deserialize<NitroEnclaveDeployment>(
            """{"metadata":{"name":"a"},"spec":{"enclave":{"memory":2147483648},"strategy":{"rollingUpdate":{"maxSurge":0}},"template":{"tolerations":[{"operator":"Exists"}]}}}""");
        ned.Spec.Enclave!.Memory.ShouldBe("2147483648");
        ned.Spec.Strategy!.RollingUpdate.MaxSurge.Value.ShouldBe("0");
        ned.Spec.Template!.Tolerations![0].OperatorProperty.ShouldBe("Exists");
    }
}
