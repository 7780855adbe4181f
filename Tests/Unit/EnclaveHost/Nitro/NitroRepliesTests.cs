using System.Text;
using Enclaves.EnclaveHost.Drivers.Nitro;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Nitro;

public sealed class NitroRepliesTests
{
    private const string Run = """
        {
          "EnclaveName": "enclave-70000",
          "EnclaveID": "i-0584873aac8fea23b-enc17ad2edcbfdad4b",
          "ProcessID": 95271,
          "EnclaveCID": 70000,
          "NumberOfCPUs": 2,
          "CPUIDs": [
            1,
            3
          ],
          "MemoryMiB": 1024
        }
        """;

    private static readonly string Register = new('a', 96);

    [Fact]
    public void A_boot_is_read()
    {
        var run = NitroReplies.ReadRun(Bytes(Run));
        (run.Id, run.ProcessId, run.Cid, run.CpuCount, run.MemoryMib).ShouldBe(("i-0584873aac8fea23b-enc17ad2edcbfdad4b", 95271, 70000u, 2, 1024));
    }

    [Fact]
    public void A_field_of_a_newer_version_is_passed_over() =>
        NitroReplies.ReadRun(Bytes(Run.Replace("\"ProcessID\"", "\"New\": {\"a\": [1]}, \"ProcessID\"", StringComparison.Ordinal))).Cid.ShouldBe(70000u);

    [Theory]
    [InlineData("", "")]
    [InlineData("null", "it is null")]
    [InlineData("[]", "'[]'")]
    [InlineData("Usage: nitro-cli [OPTIONS]", "'Usage: nitro-cli [OPTIONS]'")]
    public void What_is_no_answer_is_quoted(string output, string expected)
    {
        var failure = Should.Throw<NitroException>(() => NitroReplies.ReadRun(Bytes(output)));
        failure.Message.ShouldContain(expected);
        failure.Message.ShouldContain("to mend it: ");
    }

    [Theory]
    [InlineData("70000", "\"70000\"")]
    [InlineData("70000", "2")]
    [InlineData("70000", "3")]
    [InlineData("70000", "-1")]
    [InlineData("70000", "4294967296")]
    [InlineData("70000", "70000.5")]
    [InlineData("95271", "1")]
    [InlineData("95271", "0")]
    [InlineData("1024", "0")]
    [InlineData("\"NumberOfCPUs\": 2", "\"NumberOfCPUs\": 0")]
    [InlineData("\"MemoryMiB\": 1024", "\"MemoryMiB\": null")]
    [InlineData("\"MemoryMiB\": 1024", "\"Memory\": 1024")]
    [InlineData("\"MemoryMiB\": 1024", "\"MemoryMiB\": 1024, \"EnclaveCID\": 16")]
    [InlineData("\"MemoryMiB\": 1024\n}", "\"MemoryMiB\": 1024")]
    [InlineData("\"MemoryMiB\": 1024\n}", "\"MemoryMiB\": 1024\n} and more")]
    [InlineData("i-0584873aac8fea23b", "--all")]
    [InlineData("i-0584873aac8fea23b", "i /")]
    [InlineData("\"i-0584873aac8fea23b-enc17ad2edcbfdad4b\"", "\"\"")]
    public void What_is_missing_double_or_out_of_its_bounds_is_refused(string what, string instead) =>
        Should.Throw<NitroException>(() => NitroReplies.ReadRun(Bytes(Run.Replace(what, instead, StringComparison.Ordinal))));

    [Fact]
    public void Enclaves_are_read_with_their_measurements()
    {
        var enclave = NitroReplies.ReadDescriptions(Bytes($"[{Description($$"""{"HashAlgorithm": "Sha384 { ... }", "PCR0": "{{Register}}", "PCR1": "{{Register}}", "PCR2": "{{Register}}"}""")}]")).ShouldHaveSingleItem();
        enclave.IsRunning.ShouldBeTrue();
        var measurements = NitroReplies.ReadMeasurements(enclave).ShouldNotBeNull();
        (measurements.Pcr0, measurements.Pcr8).ShouldBe((Register, null));
    }

    [Fact]
    public void A_signed_image_has_a_register_more() =>
        NitroReplies.ReadMeasurements(One($$"""{"PCR0": "{{Register}}", "PCR1": "{{Register}}", "PCR2": "{{Register}}", "PCR8": "{{Register}}"}""")).ShouldNotBeNull().Pcr8.ShouldBe(Register);

    [Fact]
    public void An_old_version_tells_no_measurements() => NitroReplies.ReadMeasurements(One("null") with { Measurements = null }).ShouldBeNull();

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"PCR0": "abc", "PCR1": "abc", "PCR2": "abc"}""")]
    public void Measurements_that_are_none_are_refused(string measurements) =>
        Should.Throw<NitroException>(() => NitroReplies.ReadMeasurements(One(measurements))).Message.ShouldContain("SHA-384");

    [Fact]
    public void No_enclave_is_an_answer() => NitroReplies.ReadDescriptions(Bytes("[]\n")).ShouldBeEmpty();

    [Fact]
    public void Too_many_enclaves_are_none() =>
        Should.Throw<NitroException>(() => NitroReplies.ReadDescriptions(Bytes($"[{string.Join(',', Enumerable.Repeat(Description("{}"), 65))}]"))).Message.ShouldContain("so many");

    private static NitroDescription One(string measurements) => NitroReplies.ReadDescriptions(Bytes($"[{Description(measurements).Replace(", \"Measurements\": null", "", StringComparison.Ordinal)}]"))[0];

    private static string Description(string measurements) => $$"""
        {"EnclaveName": "a", "EnclaveID": "i-0-enc1", "ProcessID": 95271, "EnclaveCID": 70000, "NumberOfCPUs": 2, "CPUIDs": [1, 3], "MemoryMiB": 1024, "State": "RUNNING", "Flags": "NONE", "Measurements": {{measurements}}}
        """;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
