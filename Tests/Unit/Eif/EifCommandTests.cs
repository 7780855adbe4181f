using System.Text.Json.Nodes;
using Enclaves.EnclaveHost.Eif.Commands;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Eif;

/// <summary><c>enclave-host eif</c> as who calls it sees it.</summary>
public sealed class EifCommandTests : IDisposable
{
    private readonly EifFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Describe_tells_what_the_independent_reader_finds()
    {
        var metadata = _folder.File("metadata.json", """{"Commit": "abc", "Number": 7}""");
        var (code, built, error) = Build("--ramdisk", _folder.File("r2", "second"), "--name", "app", "--version", "1.2", "--metadata", metadata);
        code.ShouldBe(0, error);
        var description = JsonNode.Parse(Run("describe", Image).Output)!;
        var eif = new PublishedEif(File.ReadAllBytes(Image));
        JsonNode.DeepEquals(description["Measurements"], JsonNode.Parse(built)!["Measurements"]).ShouldBeTrue();
        ((int)description["EifVersion"]!).ShouldBe(eif.Version);
        var measured = description["Measurements"]!;
        ((string?)measured["HashAlgorithm"], (string?)measured["PCR0"], (string?)measured["PCR1"], (string?)measured["PCR2"])
            .ShouldBe(("Sha384 { ... }", eif.Pcr0, eif.Pcr1, eif.Pcr2));
        measured["PCR8"].ShouldBeNull();
        ((bool)description["CheckCRC"]!, (bool)description["IsSigned"]!).ShouldBe((eif.CrcIsRight, false));
        description.AsObject().ContainsKey("SignatureCheck").ShouldBeFalse();
        ((string?)description["ImageName"], (string?)description["ImageVersion"]).ShouldBe(("app", "1.2"));
        var details = description["Metadata"]!;
        foreach (var name in (string[])["BuildTime", "BuildTool", "BuildToolVersion", "OperatingSystem", "KernelVersion"])
            ((string?)details[name]).ShouldBe((string?)eif.Metadata["BuildMetadata"]![name], name);
        ((string?)details["Commit"], (int)details["Number"]!, details.AsObject().ContainsKey("DockerInfo")).ShouldBe(("abc", 7, true));
    }

    [Fact]
    public void The_time_of_a_build_is_never_the_clocks()
    {
        Build().Code.ShouldBe(0);
        BuildTime().ShouldBe("1970-01-01T00:00:00+00:00");
        EifCommand.Run([.. Arguments], new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = "1700000000" }, TextWriter.Null, TextWriter.Null).ShouldBe(0);
        BuildTime().ShouldBe("2023-11-14T22:13:20+00:00");
        EifCommand.Run([.. Arguments], new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = "yesterday" }, TextWriter.Null, TextWriter.Null).ShouldBe(2);

        string? BuildTime() => (string?)JsonNode.Parse(Run("describe", Image).Output)!["Metadata"]!["BuildTime"];
    }

    [Fact]
    public void The_kernels_own_version_is_in_the_metadata()
    {
        var kernel = new byte[0x1000];
        "HdrS"u8.CopyTo(kernel.AsSpan(0x202));
        (kernel[0x20E], kernel[0x20F]) = (0x34, 0x05);
        "6.1.0-37-cloud-amd64 (builder@example) #1 SMP\0"u8.CopyTo(kernel.AsSpan(0x734));
        File.WriteAllBytes(_folder.Path("kernel"), kernel);
        Run([.. Arguments]).Code.ShouldBe(0);
        ((string?)JsonNode.Parse(Run("describe", Image).Output)!["Metadata"]!["KernelVersion"]).ShouldBe("6.1.0-37-cloud-amd64");
    }

    [Fact]
    public void A_command_line_in_a_file_loses_its_last_newline()
    {
        _folder.File("kernel", "k");
        Run("build", "--kernel", _folder.Path("kernel"), "--cmdline", _folder.File("cmdline", "quiet panic=-1\n"), "--ramdisk", _folder.File("r", "r"), $"--out={Image}").Code.ShouldBe(0);
        new PublishedEif(File.ReadAllBytes(Image)).CommandLine.ShouldBe("quiet panic=-1"u8.ToArray());
    }

    [Fact]
    public void Extract_gives_back_what_went_in()
    {
        Build("--ramdisk", _folder.File("r2", "second")).Code.ShouldBe(0);
        Run("extract", Image, "--out", _folder.Path("parts")).Code.ShouldBe(0);
        Directory.EnumerateFiles(_folder.Path("parts")).Select(Path.GetFileName).Order()
            .ShouldBe(["cmdline", "kernel", "ramdisk-0", "ramdisk-1"]);
        (Part("kernel"), Part("cmdline"), Part("ramdisk-0"), Part("ramdisk-1")).ShouldBe((EifFolder.Kernel, EifFolder.CommandLine, "first", "second"));

        string Part(string name) => File.ReadAllText(Path.Combine(_folder.Path("parts"), name));
    }

    [Fact]
    public void A_damaged_image_is_described_and_not_verified()
    {
        Build().Code.ShouldBe(0);
        var bytes = File.ReadAllBytes(Image);
        bytes[^1] ^= 1;
        File.WriteAllBytes(Image, bytes);
        var (code, description, _) = Run("describe", Image);
        (code, (bool)JsonNode.Parse(description)!["CheckCRC"]!).ShouldBe((0, false));
        Run("verify", Image).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Error.ShouldContain($"{Image}: is damaged"));
        Run("extract", Image, "--out", _folder.Path("parts")).Code.ShouldBe(1);
    }

    [Fact]
    public void A_signed_image_is_verified_and_compared_with_a_certificate()
    {
        OpenSsl.MakeCertificate(_folder.Path("."), "one");
        OpenSsl.MakeCertificate(_folder.Path("."), "two");
        Build("--signing-certificate", _folder.Path("one.crt"), "--private-key", _folder.Path("one.key")).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(0, run.Error));
        Run("verify", Image).Output.ShouldContain("the signature is valid; signed by CN=one, O=Tests, C=DE");
        Run("verify", Image, "--certificate", _folder.Path("one.crt")).Code.ShouldBe(0);
        Run("verify", Image, "--certificate", _folder.Path("two.crt")).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Error.ShouldContain("with another certificate"));
        var description = JsonNode.Parse(Run("describe", Image).Output)!;
        ((bool)description["IsSigned"]!, (bool)description["SignatureCheck"]!).ShouldBe((true, true));
        var certificate = description["SigningCertificate"]!;
        ((string?)certificate["IssuerName"]!["commonName"], (string?)certificate["Algorithm"]).ShouldBe(("one", "ecdsa-with-SHA384"));
        OpenSsl.Run(_folder.Path("."), "x509", "-in", "one.crt", "-noout", "-dates").Output
            .ShouldBe($"notBefore={certificate["NotBefore"]}\nnotAfter={certificate["NotAfter"]}\n");
        OpenSsl.Run(_folder.Path("."), "x509", "-in", "one.crt", "-noout", "-text").Output.Replace(" ", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal)
            .ShouldContain(((string?)certificate["Signature"])!, Case.Insensitive);
    }

    [Fact]
    public void An_unsigned_image_is_not_that_of_a_certificate()
    {
        OpenSsl.MakeCertificate(_folder.Path("."), "one");
        Build().Code.ShouldBe(0);
        Run("verify", Image).Output.ShouldContain("it is not signed");
        Run("verify", Image, "--certificate", _folder.Path("one.crt")).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Error.ShouldContain("is not signed"));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("run", "'run' is not one of build")]
    [InlineData("build", "--kernel: is missing")]
    [InlineData("build --kernel k --cmdline c --out o", "--ramdisk: is missing")]
    [InlineData("build --kernel k --cmdline c --ramdisk r --out o --arch mips", "'mips' is not one of")]
    [InlineData("build --kernel k --cmdline c --ramdisk r --out o --private-key k", "give both or none")]
    [InlineData("build --kernel k --kernel l", "is given more than once")]
    [InlineData("build stray", "'stray' is not an option")]
    [InlineData("describe", "needed is one FILE, given are 0")]
    [InlineData("describe a b", "needed is one FILE, given are 2")]
    [InlineData("describe --colour blue", "there is no such option")]
    [InlineData("extract a --out", "its value is missing")]
    public void Wrong_arguments_end_with_2(string arguments, string cause)
    {
        var (code, _, error) = Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        code.ShouldBe(2);
        error.ShouldContain(cause);
        error.ShouldContain("enclave-host eif");
    }

    [Fact]
    public void Help_is_no_error()
    {
        var (code, output, error) = Run("--help");
        (code, error).ShouldBe((0, ""));
        output.ShouldContain("describe-eif");
        Run("build", "--help").Code.ShouldBe(0);
    }

    [Fact]
    public void What_cannot_be_done_ends_with_1_and_says_why()
    {
        Run("describe", "/no/such.eif").ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Error.ShouldContain("/no/such.eif: cannot be read"));
        Build("--metadata", _folder.File("list.json", "[]")).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Error.ShouldContain("is not a JSON object"));
        Build("--metadata", _folder.File("large.json", $"{{\"a\": \"{new string('x', 4096)}\"}}")).Error.ShouldContain("has more than 4096 bytes");
    }

    private string Image => _folder.Path("app.eif");

    private string[] Arguments =>
    [
        "build", "--kernel", _folder.Path("kernel"), "--cmdline", EifFolder.CommandLine, "--ramdisk", _folder.File("r1", "first"), "--out", Image,
    ];

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (EifCommand.Run(arguments, new Dictionary<string, string>(), output, error), output.ToString(), error.ToString());
    }

    private (int Code, string Output, string Error) Build(params string[] more)
    {
        _folder.File("kernel", EifFolder.Kernel);
        return Run([.. Arguments, .. more]);
    }
}
