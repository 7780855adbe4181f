using System.Security.Cryptography;
using Enclaves.Orchestrator.Nsm;
using Enclaves.Orchestrator.Session;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class NsmTests
{
    private static readonly byte[] Digest = SHA384.HashData("manifest"u8);

    // GetRandom is the example in the Linux driver; the names and fields are those of the module's own library.
    [Fact]
    public void Requests_are_the_CBOR_that_the_module_takes()
    {
        Convert.ToHexString(NsmMessages.GetRandom()).ShouldBe("69" + "47657452616E646F6D");
        Convert.ToHexString(NsmMessages.DescribePcr(16)).ShouldBe("A1" + "6B" + "4465736372696265504352" + "A1" + "65" + "696E646578" + "10");
        Convert.ToHexString(NsmMessages.LockPcr(300)).ShouldBe("A1" + "67" + "4C6F636B504352" + "A1" + "65" + "696E646578" + "19012C");
        Convert.ToHexString(NsmMessages.ExtendPcr(16, Digest)).ShouldBe(
            "A1" + "69" + "457874656E64504352" + "A2" + "65" + "696E646578" + "10" + "64" + "64617461" + "5830" + Convert.ToHexString(Digest));
    }

    [Fact]
    public void A_manifest_is_extended_into_register_16_which_is_then_locked()
    {
        var nsm = new FakeNsm();
        byte[] joined = [.. new byte[48], .. Digest];
        new NsmRegister(nsm).ExtendAndLock(Digest).ShouldBe(SHA384.HashData(joined));
        nsm.IsLocked.ShouldBeTrue();
        nsm.Value.ShouldBe(SHA384.HashData(joined));
        new SimulatedRegister().ExtendAndLock(Digest).ShouldBe(nsm.Value, "what stands in for it computes the same");
    }

    [Fact]
    public void A_register_that_was_used_already_is_not_extended_once_more()
    {
        var nsm = new FakeNsm();
        new NsmRegister(nsm).ExtendAndLock(Digest);
        Should.Throw<NsmException>(() => new NsmRegister(nsm).ExtendAndLock(Digest)).Message.ShouldContain("used already");
        nsm.Extensions.ShouldBe(1);
    }

    [Fact]
    public void A_lock_that_does_not_hold_is_an_error() =>
        Should.Throw<NsmException>(() => new NsmRegister(new FakeNsm { Locks = false }).ExtendAndLock(Digest)).Message.ShouldContain("not locked");

    [Fact]
    public void A_refusal_is_told_by_its_name() =>
        Should.Throw<NsmException>(() => NsmMessages.ReadExtendPcr([0xA1, .. Key("Error"), .. Key("ReadOnlyIndex")])).Message.ShouldContain("refuses ExtendPCR: ReadOnlyIndex");

    [Fact]
    public void Random_bytes_are_read() =>
        NsmMessages.ReadGetRandom([0xA1, .. Key("GetRandom"), 0xA1, .. Key("random"), 0x59, 0x01, 0x00, .. new byte[256]]).Length.ShouldBe(256);

    [Theory]
    [InlineData("")]
    [InlineData("A0")]
    [InlineData("F6")]
    [InlineData("6A52616E646F6D")]
    [InlineData("A169457874656E64504352")]
    [InlineData("A169457874656E64504352A16464617461")]
    [InlineData("A169457874656E64504352A164646174615830")]
    [InlineData("A169457874656E64504352A164646174615BFFFFFFFFFFFFFFFF")]
    [InlineData("A169457874656E64504352A164646174615AFFFFFFFF")]
    [InlineData("A169457874656E64504352A1646461746140FF")]
    [InlineData("A169457874656E64504352BF")]
    [InlineData("A1674C6F636B504352A0")]
    public void Responses_that_are_none_are_refused(string response) =>
        Should.Throw<NsmException>(() => NsmMessages.ReadExtendPcr(Convert.FromHexString(response)));

    private static byte[] Key(string text) => [(byte)(0x60 | text.Length), .. System.Text.Encoding.ASCII.GetBytes(text)];

    // One register, which knows the requests byte by byte.
    private sealed class FakeNsm : INsm
    {
        public byte[] Value { get; private set; } = new byte[48];

        public bool IsLocked { get; private set; }

        public bool Locks { get; init; } = true;

        public int Extensions { get; private set; }

        public byte[] Ask(ReadOnlySpan<byte> request)
        {
            if (request.SequenceEqual(NsmMessages.DescribePcr(16)))
                return [0xA1, .. Key("DescribePCR"), 0xA2, .. Key("lock"), (byte)(IsLocked ? 0xF5 : 0xF4), .. Key("data"), 0x58, 48, .. Value];
            if (request.SequenceEqual(NsmMessages.LockPcr(16)))
            {
                IsLocked = Locks;
                return Key("LockPCR");
            }

            request.SequenceEqual(NsmMessages.ExtendPcr(16, Digest)).ShouldBeTrue();
            byte[] joined = [.. Value, .. Digest];
            Value = SHA384.HashData(joined);
            Extensions++;
            return [0xA1, .. Key("ExtendPCR"), 0xA1, .. Key("data"), 0x58, 48, .. Value];
        }
    }
}
