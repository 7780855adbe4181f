using Enclaves.EnclaveHost.Eif;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>
/// Registers against numbers that other programs have computed. Those of the small image are by openssl alone:
/// <c>openssl dgst -sha384 -binary</c> of the parts behind each other, then <c>openssl dgst -sha384</c> of 48 zeros and that.
/// </summary>
public sealed class EifMeasurementTests : IDisposable
{
    // Register 2 of every image that has one ramdisk: the Nitro tools print it, and so do the build logs of many who use them.
    private const string Published = "21b9efbc184807662e966d34f390821309eeac6802309798826296bf3e8bec7c10edb30948c90ba67310f7b964fc500a";

    private const string OneRamdisk = "c25d4b2cfd9203264027ddb9b7d33aab2683a661739101453f4b7cf7aa67f1669c77308e03ed2e741c57dc127436017a";
    private const string ThreeRamdisks = "9bc4f40bf2438a8005e36cd62a726a539785544587c8252b50ab5e6b3aea8d6a54ee5980c0be60b78d31e07853832458";
    private const string LastTwoRamdisks = "df0db8e4570859ccbf1cdf2b80040f60ed093a9166c4f476ba5c0c5838d29c905ba837d6cc48b327889e11177ab1d5b2";

    private readonly EifFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void With_one_ramdisk_0_and_1_are_the_same_and_2_is_that_of_nothing()
    {
        var measured = EifWriter.Write(_folder.Recipe("first ramdisk"), _folder.Path("a.eif"));
        (measured.Pcr0, measured.Pcr1, measured.Pcr2, measured.Pcr8).ShouldBe((OneRamdisk, OneRamdisk, Published, null));
    }

    [Fact]
    public void Of_several_ramdisks_the_first_counts_for_1_and_the_others_for_2()
    {
        var measured = EifWriter.Write(_folder.Recipe("first ramdisk", "second ramdisk", "third ramdisk"), _folder.Path("a.eif"));
        (measured.Pcr0, measured.Pcr1, measured.Pcr2).ShouldBe((ThreeRamdisks, OneRamdisk, LastTwoRamdisks));
    }

    [Fact]
    public void The_independent_reader_agrees_with_the_published_register() => PublishedEif.Register([]).ShouldBe(Published);

    // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
    [Fact]
    public void The_independent_checksum_is_that_of_the_catalogue() => PublishedEif.Crc32("123456789"u8.ToArray()).ShouldBe(0xCBF43926u);
}
