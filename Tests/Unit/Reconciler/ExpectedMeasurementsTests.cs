using Enclaves.Api;
using Enclaves.Reconciler;
using Enclaves.Reconciler.Status;
using Microsoft.Extensions.Configuration;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class ExpectedMeasurementsTests
{
    private static readonly string Digest = string.Concat(Enumerable.Repeat("ab", 48));

    [Fact]
    public void The_manifests_register_is_that_of_an_NSM_extended_once()
    {
        // printf of 48 zero bytes and 48 bytes 0xab, through sha384sum.
        Of(null, []).Registers.ShouldNotBeNull().ShouldHaveSingleItem().ShouldBe(KeyValuePair.Create(
            "PCR16", "73bbee246f69b6bf7824b9e7643701dad9ed70c94c9880d033c0ac87b5043d0dd70cad576882faf2f6679a22ededfea4"));
    }

    [Fact]
    public void The_image_is_the_installations_where_the_spec_names_none()
    {
        string[] options = ["--images:enclave.eif:pcr0=" + A('A'), "--images:enclave.eif:pcr1=" + A('1'), "--images:enclave.eif:pcr2=" + A('2')];
        Of(null, options).Registers.ShouldNotBeNull().Keys.ShouldBe(["PCR0", "PCR1", "PCR2", "PCR16"]);
        Of(new EnclaveSpec { Image = "enclave.eif" }, options).Registers!["PCR0"].ShouldBe(A('a'));
        Of(new EnclaveSpec { Image = "other.eif" }, options).Registers!.Keys.ShouldBe(["PCR16"]);
        Of(null, [.. options, "--images:enclave.eif:pcr8=" + A('8')]).Registers!["PCR8"].ShouldBe(A('8'));
    }

    [Fact]
    public void In_debug_mode_nothing_is_expected()
    {
        Of(new EnclaveSpec { DebugMode = true }, []).Registers.ShouldBeNull();
        Of(new EnclaveSpec { DebugMode = true }, []).ManifestDigest.ShouldBe(Digest);
    }

    [Theory]
    [InlineData("--images:a.eif:pcr0=12")]
    [InlineData("--images:a.eif:pcr8=xyz")]
    public void What_is_no_digest_is_refused_by_name(string option)
    {
        var whole = new[] { "--images:a.eif:pcr1=" + A('1'), "--images:a.eif:pcr2=" + A('2'), option, option.Contains("pcr0") ? "--port=8080" : "--images:a.eif:pcr0=" + A('0') };
        Should.Throw<InvalidOperationException>(() => Settings(whole)).Message.ShouldContain(option.Split('=')[0]);
    }

    private static string A(char digit) => new(digit, 96);

    private static ExpectedMeasurements Of(EnclaveSpec? enclave, string[] options) => ExpectedMeasurements.Of(enclave, Digest, Settings(options).EnclaveImages);

    private static ReconcilerSettings Settings(string[] options) => ReconcilerSettings.Read(new ConfigurationBuilder().AddCommandLine(options).Build());
}
