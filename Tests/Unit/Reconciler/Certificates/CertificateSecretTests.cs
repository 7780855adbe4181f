using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Certificates;
using Enclaves.Reconciler.Cluster;
using Shouldly;
using Xunit;
using static Enclaves.Tests.Unit.Reconciler.Certificates.Certificates;

namespace Enclaves.Tests.Unit.Reconciler.Certificates;

public sealed class CertificateSecretTests
{
    private const string Fresh = """
        {"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":"enclaves-webhook-tls","namespace":"enclaves-system","resourceVersion":"7",
        "labels":{"a":"b"},"annotations":{"meta.helm.sh/release-name":"enclaves","k8s.oblv.com/rotate":""}}}
        """;

    [Fact]
    public void What_is_written_is_read_again()
    {
        var state = InUse(Start) with
        {
            NextAuthority = CertificateIssuer.NewAuthority(Settings, Start.AddSeconds(1)),
            PreviousAuthorities = [CertificateIssuer.NewAuthority(Settings, Start.AddSeconds(2)).Certificate, CertificateIssuer.NewAuthority(Settings, Start.AddSeconds(3)).Certificate],
            PreviousUntil = Start.AddHours(5),
            IsRotationAsked = true,
        };
        var read = CertificateSecret.Read(Live(CertificateSecret.Write(Live(Fresh), state)), Start);
        read.ShouldBe(state with { PreviousAuthorities = read.PreviousAuthorities });
        read.PreviousAuthorities.ShouldBe(state.PreviousAuthorities);
        read.Bundle.ShouldBe(state.Bundle);
    }

    [Fact]
    public void What_is_not_ours_stays()
    {
        var written = CertificateSecret.Write(Live(Fresh), InUse(Start));
        ((string?)written["metadata"]!["resourceVersion"]).ShouldBe("7", "or a change that was made since would be lost");
        ((string?)written["metadata"]!["labels"]!["a"]).ShouldBe("b");
        ((string?)written["metadata"]!["annotations"]!["meta.helm.sh/release-name"]).ShouldBe("enclaves");
        written["metadata"]!["annotations"]!["k8s.oblv.com/rotate"].ShouldBeNull("it has been done");
    }

    [Theory]
    [InlineData("tls.crt", "bm8gY2VydGlmaWNhdGU=")]
    [InlineData("tls.crt", "%%%")]
    [InlineData("tls.key", "")]
    [InlineData("tls.key", null)]
    public void What_cannot_be_used_counts_as_absent(string key, string? value)
    {
        var written = CertificateSecret.Write(Live(Fresh), InUse(Start));
        written["data"]![key] = value;
        var read = CertificateSecret.Read(Live(written), Start);
        read.Leaf.ShouldBeNull();
        read.Authority.ShouldNotBeNull();
    }

    [Fact]
    public void A_key_of_another_certificate_counts_as_absent()
    {
        var written = CertificateSecret.Write(Live(Fresh), InUse(Start));
        written["data"]!["tls.key"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(InUse(Start).Leaf!.Key));
        CertificateSecret.Read(Live(written), Start).Leaf.ShouldBeNull();
    }

    [Fact]
    public void What_is_past_its_life_counts_as_absent()
    {
        var read = CertificateSecret.Read(Live(CertificateSecret.Write(Live(Fresh), InUse(Start))), Start.AddHours(11));
        read.Leaf.ShouldBeNull();
        read.Authority.ShouldNotBeNull();
    }

    private static LiveObject Live(JsonNode json) => Live(json.ToJsonString());

    private static LiveObject Live(string json)
    {
        using var document = JsonDocument.Parse(json);
        return LiveObject.From(document.RootElement.Clone())!;
    }
}
