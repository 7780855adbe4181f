using System.Text;
using Enclaves.EnclaveHost.Eif;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>What is written, seen by a reader that shares no code with the writer.</summary>
public sealed class EifWriterTests : IDisposable
{
    private readonly EifFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_independent_reader_finds_what_went_in()
    {
        var eif = new PublishedEif(_folder.Build(_folder.Recipe("first ramdisk", "second ramdisk")));
        (eif.Magic, eif.Version, eif.Flags, eif.DefaultMemory, eif.DefaultCpus).ShouldBe((".eif", 4, 0, 1L << 30, 2L));
        eif.SectionCount.ShouldBe(5);
        eif.Types.ShouldBe([1, 2, 5, 3, 3], "as the Nitro tools order them");
        eif.Table.Take(5).ShouldBe(eif.Walked());
        eif.Table.Skip(5).ShouldAllBe(place => place.Offset == 0 && place.Size == 0);
        eif.CrcIsRight.ShouldBeTrue();
        Encoding.ASCII.GetString(eif.Kernel).ShouldBe(EifFolder.Kernel);
        Encoding.ASCII.GetString(eif.CommandLine).ShouldBe(EifFolder.CommandLine, "no NUL and no newline behind it");
        eif.Ramdisks.Select(Encoding.ASCII.GetString).ShouldBe(["first ramdisk", "second ramdisk"]);
        eif.Metadata["ImageName"]!.GetValue<string>().ShouldBe("small");
        eif.Metadata.AsObject().ContainsKey("DockerInfo").ShouldBeTrue("the Nitro tools refuse metadata without it");
        eif.Metadata.AsObject().ContainsKey("CustomMetadata").ShouldBeTrue();
    }

    [Theory]
    [InlineData("first ramdisk")]
    [InlineData("first ramdisk", "second ramdisk")]
    [InlineData("first ramdisk", "second ramdisk", "third ramdisk")]
    public void Both_readers_measure_the_same(params string[] ramdisks)
    {
        var written = EifWriter.Write(_folder.Recipe(ramdisks), _folder.Path("a.eif"));
        var eif = new PublishedEif(File.ReadAllBytes(_folder.Path("a.eif")));
        (written.Pcr0, written.Pcr1, written.Pcr2, written.Pcr8).ShouldBe((eif.Pcr0, eif.Pcr1, eif.Pcr2, null));
        using var image = EifImage.Open(_folder.Path("a.eif"));
        image.Examine(cancellation: TestContext.Current.CancellationToken).Measurements.ShouldBe(written);
    }

    [Fact]
    public void The_same_input_gives_the_same_bytes() => _folder.Build().ShouldBe(_folder.Build());

    [Fact]
    public void Metadata_is_not_measured()
    {
        var recipe = _folder.Recipe("first ramdisk");
        EifWriter.Write(recipe, _folder.Path("a.eif")).ShouldBe(EifWriter.Write(recipe with { Metadata = "{}"u8.ToArray() }, _folder.Path("b.eif")));
        File.ReadAllBytes(_folder.Path("a.eif")).ShouldNotBe(File.ReadAllBytes(_folder.Path("b.eif")));
    }

    [Fact]
    public void An_image_for_aarch64_says_so() => new PublishedEif(_folder.Build(_folder.Recipe("r") with { IsArm64 = true })).Flags.ShouldBe(1);

    [Fact]
    public void A_large_ramdisk_goes_through_in_pieces()
    {
        var content = new byte[(3 << 17) + 5];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(_folder.Path("large"), content);
        var eif = new PublishedEif(_folder.Build(_folder.Recipe() with { RamdiskPaths = [_folder.Path("large")] }));
        eif.Ramdisks.ShouldHaveSingleItem().ShouldBe(content);
        eif.CrcIsRight.ShouldBeTrue();
    }

    [Theory]
    [InlineData("a\nb", "control character")]
    [InlineData("a\0", "control character")]
    public void A_command_line_that_no_kernel_can_have_is_refused(string text, string cause) =>
        Should.Throw<EifException>(() => _folder.Build(_folder.Recipe("r") with { CommandLine = text })).Message.ShouldContain(cause);

    [Fact]
    public void What_cannot_be_read_is_named_and_no_half_an_image_is_left()
    {
        var recipe = _folder.Recipe("r") with { RamdiskPaths = [_folder.Path("absent")] };
        Should.Throw<EifException>(() => EifWriter.Write(recipe, _folder.Path("a.eif"))).Message.ShouldContain(_folder.Path("absent"));
        Should.Throw<EifException>(() => EifWriter.Write(recipe with { RamdiskPaths = [_folder.File("empty", "")] }, _folder.Path("a.eif"))).Message.ShouldContain("is empty");
        Should.Throw<EifException>(() => EifWriter.Write(_folder.Recipe("r"), _folder.Path("no/folder.eif"))).Message.ShouldContain("cannot be written");
        Directory.EnumerateFiles(_folder.Path("."), "*.eif*").ShouldBeEmpty();
    }

    [Fact]
    public void More_ramdisks_than_the_header_has_places_are_refused() =>
        Should.Throw<EifException>(() => _folder.Build(_folder.Recipe([.. Enumerable.Repeat("r", 30)]))).Message.ShouldContain("would have 33 sections");
}
