using Enclaves.EnclaveHost.Drivers.Nitro;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Nitro;

/// <summary>What is made of standard error. Whole transcripts are played in Tests/Enclave.</summary>
public sealed class NitroDiagnosisTests
{
    private const string Started = "Started enclave with enclave-cid: 70000, memory: 512 MiB, cpu-ids: [1, 3]";
    private const string BootFailure = "[ E36 ] Enclave boot failure. Such error appears when attempting to receive the `ready` signal from a freshly booted enclave.";
    private const string ConnectionFailure = "[ E39 ] Enclave process connection failure. Such error appears when the enclave manager fails to connect to at least one enclave process.";

    [Fact]
    public void The_first_number_is_the_cause_and_what_follows_is_not()
    {
        var failure = Explain(39, "Start allocating memory...", "[ E29 ] Ioctl failure. Such error is used as a general ioctl error.", "", "Failed connections: 1", ConnectionFailure);
        failure.Code.ShouldBe(29);
        failure.Message.ShouldStartWith("nitro-cli run-enclave failed with E29 (ioctl): ");
        failure.Message.ShouldContain("to mend it: ");
        failure.Message.ShouldNotContain("E39");
    }

    [Fact]
    public void What_is_particular_about_a_case_is_quoted()
    {
        Explain(39, "[ E19 ] File operation failure. Such error appears when the system fails.", "File: '/dev/nitro_enclaves', failing operation: 'Open'.", "", ConnectionFailure)
            .Message.ShouldContain("[File operation failure: File: '/dev/nitro_enclaves', failing operation: 'Open']");
        Explain(22, "[ E22 ] Insufficient CPUs available in the pool. User provided `cpu-count` is 8, which is more than the configured CPU pool size.", "You can increase the CPU pool size by editing")
            .Message.ShouldContain("`cpu-count` is 8, which is more");
    }

    [Fact]
    public void A_number_behind_words_of_another_process_is_found_too() =>
        Explain(255, "Failed to drop resource allocator | [ E43 ] Enclave munmap error.").Code.ShouldBe(43);

    [Fact]
    public void A_boot_that_never_started_met_another_one_and_passes()
    {
        var before = Explain(39, "Start allocating memory...", BootFailure, "", ConnectionFailure);
        before.IsPassing.ShouldBeTrue();
        before.Message.ShouldContain("another enclave was booting on the node");
        var after = Explain(39, "Start allocating memory...", Started, BootFailure, "", ConnectionFailure);
        after.IsPassing.ShouldBeFalse();
        after.Message.ShouldContain("spec.enclave.debugMode");
    }

    [Theory]
    [InlineData(29, true)]
    [InlineData(39, true)]
    [InlineData(22, false)]
    [InlineData(26, false)]
    [InlineData(27, false)]
    [InlineData(59, false)]
    public void What_passes_is_tried_again(int code, bool passes) => Explain(39, $"[ E{code} ] Something.").IsPassing.ShouldBe(passes);

    [Fact]
    public void Without_a_number_the_exit_code_is_one() => Explain(27).Code.ShouldBe(27);

    [Theory]
    [InlineData(1, "ended with code 1 and said nothing")]
    [InlineData(2, "ended with code 2 and said nothing")]
    [InlineData(101, "as new as this program")]
    [InlineData(127, "put nitro-cli into the image")]
    [InlineData(137, "was killed by signal 9")]
    public void An_exit_code_of_another_kind_is_none(int exitCode, string expected)
    {
        var failure = Explain(exitCode);
        failure.Code.ShouldBeNull();
        failure.Message.ShouldContain(expected);
        failure.Message.ShouldContain("to mend it: ");
    }

    [Fact]
    public void A_number_that_is_not_known_is_told_all_the_same() => Explain(77, "[ E77 ] Something new.").Message.ShouldContain("explain --error-code E77");

    [Fact]
    public void A_line_without_an_end_is_cut() => Explain(39, "[ E22 ] " + new string('x', 100_000)).Message.Length.ShouldBeLessThan(1000);

    private static NitroException Explain(int exitCode, params string[] lines)
    {
        var diagnosis = new NitroDiagnosis();
        foreach (var line in lines)
            diagnosis.Read(line);
        return diagnosis.Explain("run-enclave", exitCode, "");
    }
}
