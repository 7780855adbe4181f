using System.Buffers.Binary;
using Enclaves.EnclaveHost.Eif;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>Files that are no image, or one that is not in order: each is refused in a sentence that says why.</summary>
public sealed class EifReaderTests : IDisposable
{
    private const int Table = 28;
    private const int Sizes = 284;
    private const int First = 548;

    private readonly EifFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cut_at_any_byte_it_is_truncated()
    {
        var whole = _folder.Build();
        for (var length = 0; length < whole.Length; length++)
            Refusal(whole[..length]).ShouldContain(length < 4 ? "does not start with .eif" : "is truncated", customMessage: $"cut at {length}");
    }

    [Fact]
    public void No_changed_byte_goes_unnoticed()
    {
        var whole = _folder.Build();
        for (var at = 0; at < whole.Length; at++)
        {
            var changed = (byte[])whole.Clone();
            changed[at] ^= 0x40;
            Should.Throw<EifException>(() => Check(changed), $"byte {at}").Message.ShouldStartWith("test.eif: ");
        }
    }

    [Fact]
    public void Another_magic_or_version_is_told()
    {
        Refusal(Changed(bytes => bytes[0] = (byte)'x')).ShouldContain("is no enclave image");
        Refusal(Changed(bytes => bytes[5] = 5)).ShouldContain("has version 5 of the format, known are 2 to 4");
        Refusal(Changed(bytes => bytes[5] = 1)).ShouldContain("has version 1");
    }

    [Fact]
    public void A_count_of_sections_beyond_the_table_is_refused()
    {
        Refusal(Changed(bytes => bytes[27] = 33)).ShouldContain("counts 33 sections, possible are 1 to 32");
        Refusal(Changed(bytes => bytes[27] = 0)).ShouldContain("counts 0 sections");
    }

    [Fact]
    public void Sections_that_overlap_or_leave_a_gap_are_refused()
    {
        Refusal(Changed(bytes => Put(bytes, Table + 8, First))).ShouldContain("section 2 overlaps what is before it");
        Refusal(Changed(bytes => Put(bytes, Table, 0))).ShouldContain("section 1 overlaps what is before it");
        Refusal(Changed(bytes => Put(bytes, Table + 8, 1 << 20))).ShouldContain("section 2 leaves a gap");
        Refusal(Changed(bytes => Put(bytes, Table + 16, ulong.MaxValue))).ShouldContain("section 3 leaves a gap");
    }

    [Fact]
    public void Sizes_that_no_file_has_are_refused()
    {
        Refusal(Changed(bytes => Put(bytes, Sizes, ulong.MaxValue))).ShouldContain("is truncated: section 1 of 18446744073709551615 bytes");
        Refusal(Changed(bytes => Put(bytes, Sizes, long.MaxValue))).ShouldContain("is truncated");
        Refusal(Changed(bytes => Put(bytes, First + 4, 3))).ShouldContain("section 1 (kernel) has 3 bytes by its own header and 10 by the file's");
    }

    [Fact]
    public void What_is_behind_the_last_section_is_refused() =>
        Refusal([.. _folder.Build(), 0]).ShouldContain("has 1 bytes behind its last section");

    [Fact]
    public void A_type_of_section_that_nobody_knows_is_refused() =>
        Refusal(Changed(bytes => bytes[First + 1] = 6)).ShouldContain("section 1 is of type 6");

    [Theory]
    [InlineData(0, 2, "0 sections of type kernel, needed is 1")]
    [InlineData(1, 1, "2 sections of type kernel")]
    [InlineData(3, 5, "0 sections of type ramdisk")]
    public void Sections_that_an_image_must_have_once_are_counted(int index, int type, string cause) =>
        Refusal(Changed(bytes => bytes[Start(bytes, index) + 1] = (byte)type)).ShouldContain(cause);

    [Fact]
    public void Another_order_of_what_is_measured_is_refused()
    {
        var refusal = Refusal(Changed(bytes =>
        {
            bytes[Start(bytes, 0) + 1] = 2;
            bytes[Start(bytes, 1) + 1] = 1;
        }));
        refusal.ShouldContain("out of order (command line, kernel, ramdisk)");
    }

    [Fact]
    public void A_file_that_is_not_there_or_is_none_is_named()
    {
        Should.Throw<EifException>(() => EifImage.Open("/no/such.eif")).Message.ShouldStartWith("/no/such.eif: cannot be read");
        Should.Throw<EifException>(() => EifImage.Open("/")).Message.ShouldStartWith("/: cannot be read");
        Should.Throw<EifException>(() => EifImage.Open("/dev/null")).Message.ShouldStartWith("/dev/null: is no");
    }

    [Fact]
    public void Metadata_that_is_none_is_told_only_to_who_asks_for_it()
    {
        var bytes = _folder.Build(_folder.Recipe("r") with { Metadata = "{\"ImageName\":"u8.ToArray() });
        Check(bytes);
        using var image = EifImage.Open(new MemoryStream(bytes), "test.eif");
        Should.Throw<EifException>(() => EifDescription.Of(image)).Message.ShouldContain("its metadata is not the JSON of an enclave image");
    }

    [Fact]
    public void Any_garbage_is_refused()
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            var bytes = new byte[random.Next(2000)];
            random.NextBytes(bytes);
            if (bytes.Length > 4)
                ".eif"u8.CopyTo(bytes);
            Refusal(bytes).ShouldStartWith("test.eif: ");
        }
    }

    private static string Refusal(byte[] bytes) => Should.Throw<EifException>(() => EifImage.Open(new MemoryStream(bytes), "test.eif")).Message;

    private static void Check(byte[] bytes)
    {
        using var image = EifImage.Open(new MemoryStream(bytes), "test.eif");
        EifVerifier.Check(image, image.Examine());
    }

    private byte[] Changed(Action<byte[]> change)
    {
        var bytes = _folder.Build();
        change(bytes);
        return bytes;
    }

    private static void Put(byte[] bytes, int at, ulong number) => BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(at), number);

    private static int Start(byte[] bytes, int index) => (int)BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(Table + (8 * index)));
}
