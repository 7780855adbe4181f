using Enclaves.Api;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Api;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("nginx", "docker.io", "library/nginx", null, null)]
    [InlineData("team/app:1.2", "docker.io", "team/app", "1.2", null)]
    [InlineData("10.210.0.2:5000/enclaves/hello:dev", "10.210.0.2:5000", "enclaves/hello", "dev", null)]
    [InlineData("localhost/a__b--c.d@" + Digest, "localhost", "a__b--c.d", null, Digest)]
    [InlineData("Registry.Example/app:Tag_1@" + Digest, "Registry.Example", "app", "Tag_1", Digest)]
    [InlineData("[fd00::1]:5000/app", "[fd00::1]:5000", "app", null, null)]
    public void A_reference_is_split_into_its_parts(string text, string registry, string repository, string? tag, string? digest)
    {
        ImageReference.TryParse(text, out var reference, out _).ShouldBeTrue();
        (reference!.Registry, reference.Repository, reference.Tag, reference.Digest).ShouldBe((registry, repository, tag, digest));
    }

    [Theory]
    [InlineData(null, "empty")]
    [InlineData("", "empty")]
    [InlineData("NOT an image", "white space")]
    [InlineData("https://registry.example/app", "without https://")]
    [InlineData("app:", "not an image reference")]
    [InlineData("app@sha256:12", "64 lower-case hexadecimal digits")]
    [InlineData("registry.example/App", "not an image reference")]
    [InlineData("registry.example/a..b", "not a repository")]
    [InlineData("registry.example//a", "not a repository")]
    [InlineData("app\n", "white space")]
    public void What_is_no_reference_is_refused_with_a_reason(string? text, string reason)
    {
        ImageReference.TryParse(text, out _, out var problem).ShouldBeFalse();
        problem!.ShouldContain(reason);
    }

    [Fact]
    public void The_longest_bad_reference_is_refused_in_no_time()
    {
        var started = System.Diagnostics.Stopwatch.StartNew();
        ImageReference.TryParse(string.Concat(Enumerable.Repeat("a-", 512)), out _, out _).ShouldBeFalse();
        ImageReference.TryParse(new string('a', 2000), out _, out var problem).ShouldBeFalse();
        problem!.ShouldContain("1024");
        started.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(1));
    }
}
