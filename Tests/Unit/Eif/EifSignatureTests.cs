using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using Enclaves.EnclaveHost.Eif;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>Signatures with certificates that openssl has made, and as openssl verifies them.</summary>
public sealed class EifSignatureTests : IDisposable
{
    // Published with the format's own tests: the bytes of register 0 with the value 00 01 02 … 2f, as they are signed.
    private const string PublishedPayload =
        "a26e72656769737465725f696e646578006e72656769737465725f76616c75659830000102030405060708090a0b0c0d0e0f101112131415161718181819181a181b181c181d181e181f1820182118221823182418251826182718281829182a182b182c182d182e182f";

    // The same for a section: a certificate that is none, and a message of ten bytes.
    private const string PublishedSection =
        "81a2737369676e696e675f6365727469666963617465983b182d182d182d182d182d1842184518471849184e182018431845185218541849184618491843184118541845182d182d182d182d182d0a184d1849184918420a182d182d182d182d182d1845184e1844182018431845185218541849184618491843184118541845182d182d182d182d182d0a697369676e61747572658a18d21884184418a1011838182218a018401840";

    private const string PublishedCertificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    private static readonly byte[] PublishedMessage = [0xd2, 0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0x40, 0x40];

    private readonly EifFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_signed_has_the_published_bytes() =>
        Convert.ToHexStringLower(EifSignatureCbor.Payload([.. Enumerable.Range(0, 48).Select(value => (byte)value)])).ShouldBe(PublishedPayload);

    [Fact]
    public void A_section_has_the_published_bytes()
    {
        Convert.ToHexStringLower(EifSignatureCbor.Write(System.Text.Encoding.ASCII.GetBytes(PublishedCertificate), PublishedMessage)).ShouldBe(PublishedSection);
        var (certificate, message) = EifSignatureCbor.ReadFirst(Convert.FromHexString(PublishedSection));
        System.Text.Encoding.ASCII.GetString(certificate).ShouldBe(PublishedCertificate);
        message.ShouldBe(PublishedMessage);
    }

    [Fact]
    public void Byte_strings_are_read_as_well()
    {
        byte[] section = [0x81, 0xA3, 0x61, (byte)'x', 0xA1, 0x01, 0x02, 0x69, .. "signature"u8, 0x42, 7, 8, 0x73, .. "signing_certificate"u8, 0x41, 9];
        var (certificate, message) = EifSignatureCbor.ReadFirst(section);
        (certificate, message).ShouldSatisfyAllConditions(both => both.certificate.ShouldBe([9]), both => both.message.ShouldBe([7, 8]));
    }

    [Fact]
    public void OpenSsl_verifies_what_was_signed()
    {
        var eif = new PublishedEif(_folder.Build(Signed("one")));
        eif.Types.ShouldBe([1, 2, 5, 3, 4]);
        eif.CrcIsRight.ShouldBeTrue();
        var signature = new PublishedSignature(eif.Signature);
        signature.Rest.ShouldBe(0);
        signature.Certificate.ShouldBe(File.ReadAllText(_folder.Path("one.crt")));
        signature.Protected.ShouldBe([0xA1, 0x01, 0x38, 0x22], "{1: -35}, ES384");
        signature.Payload.ShouldBe(EifSignatureCbor.Payload(Convert.FromHexString(eif.Pcr0)));
        signature.Value.Length.ShouldBe(96);
        File.WriteAllBytes(_folder.Path("signed"), signature.Signed);
        File.WriteAllBytes(_folder.Path("signature"), Der(signature.Value));
        OpenSsl.Run(_folder.Path("."), "x509", "-in", "one.crt", "-pubkey", "-noout", "-out", "one.pub").ExitCode.ShouldBe(0);
        OpenSsl.Run(_folder.Path("."), "dgst", "-sha384", "-verify", "one.pub", "-signature", "signature", "signed").Output.ShouldContain("Verified OK");
    }

    [Fact]
    public void Register_8_is_that_of_the_certificate()
    {
        var measured = EifWriter.Write(Signed("one"), _folder.Path("a.eif"));
        OpenSsl.Run(_folder.Path("."), "x509", "-in", "one.crt", "-outform", "der", "-out", "one.der").ExitCode.ShouldBe(0);
        measured.Pcr8.ShouldBe(PublishedEif.Register([File.ReadAllBytes(_folder.Path("one.der"))]));
        (measured with { Pcr8 = null }).ShouldBe(EifWriter.Write(_folder.Recipe("first ramdisk"), _folder.Path("b.eif")), "the signature is not measured");
    }

    [Fact]
    public void A_signature_of_another_image_does_not_hold()
    {
        var first = new PublishedEif(_folder.Build(Signed("one"))).Signature;
        using var image = EifImage.Open(new MemoryStream(_folder.Build(_folder.Recipe("another ramdisk"))), "test.eif");
        EifSignature.Read(first, "test.eif").Problem(Convert.FromHexString(image.Examine(cancellation: TestContext.Current.CancellationToken).Measurements.Pcr0)).ShouldNotBeNull().ShouldContain("is the signature of another image");
    }

    [Fact]
    public void A_changed_signature_does_not_hold()
    {
        var section = new PublishedEif(_folder.Build(Signed("one"))).Signature;
        var pcr0 = Convert.FromHexString(new PublishedEif(_folder.Build(_folder.Recipe("first ramdisk"))).Pcr0);
        EifSignature.Read(section, "test.eif").Problem(pcr0).ShouldBeNull();
        var (certificate, message) = EifSignatureCbor.ReadFirst(section);
        for (var at = 0; at < message.Length; at++)
        {
            var changed = (byte[])message.Clone();
            changed[at] ^= 1;
            EifSignature.Read(EifSignatureCbor.Write(certificate, changed), "test.eif").Problem(pcr0).ShouldNotBeNull($"byte {at}");
        }
    }

    [Fact]
    public void With_another_certificate_it_does_not_hold()
    {
        var section = new PublishedEif(_folder.Build(Signed("one"))).Signature;
        OpenSsl.MakeCertificate(_folder.Path("."), "two");
        var exchanged = EifSignatureCbor.Write(File.ReadAllBytes(_folder.Path("two.crt")), EifSignatureCbor.ReadFirst(section).Signature);
        EifSignature.Read(exchanged, "test.eif").Problem(new byte[48]).ShouldNotBeNull().ShouldContain("was not made with the key of its certificate");
    }

    [Fact]
    public void A_certificate_that_is_past_is_told()
    {
        using var image = EifImage.Open(new MemoryStream(_folder.Build(Signed("one"))), "test.eif");
        var findings = image.Examine(cancellation: TestContext.Current.CancellationToken);
        EifVerifier.Check(image, findings);
        Should.Throw<EifException>(() => EifVerifier.Check(image, findings, new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(31)))).Message.ShouldContain("its signing certificate is valid from");
    }

    [Fact]
    public void Keys_that_cannot_sign_an_image_are_refused()
    {
        OpenSsl.MakeCertificate(_folder.Path("."), "one");
        OpenSsl.MakeCertificate(_folder.Path("."), "two");
        OpenSsl.MakeCertificate(_folder.Path("."), "small", "prime256v1");
        Refusal("small.crt", "small.key").ShouldContain("is not one for ECDSA on P-384");
        Refusal("one.crt", "two.key").ShouldContain("is not the key of the certificate");
        Refusal("one.key", "one.key").ShouldContain("is no certificate in PEM form");
        Refusal("one.crt", "one.crt").ShouldContain("is no private key for ECDSA");
        Refusal("one.crt", "absent").ShouldContain("cannot be read");

        string Refusal(string certificate, string key) => Should.Throw<EifException>(() => EifSigner.Load(_folder.Path(certificate), _folder.Path(key))).Message;
    }

    [Fact]
    public void A_section_that_is_none_is_told()
    {
        foreach (var section in (byte[][])[[], [0x80], [0x81, 0x01], [0x81, 0xA0], [0xF6], [0x9F], [.. Convert.FromHexString(PublishedSection), 0], Convert.FromHexString(PublishedSection)])
            Should.Throw<EifException>(() => EifSignature.Read(section, "test.eif")).Message.ShouldContain("its signature section cannot be read");
    }

    private static byte[] Der(byte[] value)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(new BigInteger(value.AsSpan(0, 48), isUnsigned: true, isBigEndian: true));
            writer.WriteInteger(new BigInteger(value.AsSpan(48), isUnsigned: true, isBigEndian: true));
        }

        return writer.Encode();
    }

    private EifRecipe Signed(string name)
    {
        OpenSsl.MakeCertificate(_folder.Path("."), name);
        return _folder.Recipe("first ramdisk") with { Signer = EifSigner.Load(_folder.Path($"{name}.crt"), _folder.Path($"{name}.key")) };
    }
}
