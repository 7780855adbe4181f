using System.Security.Cryptography;
using System.Text;
using Enclaves.Channel.Manifest;
using Enclaves.Tests.Unit.Orchestrator;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

/// <summary>Volumes, mounts and references to Secrets that a manifest must not have.</summary>
public sealed class VolumeCheckTests
{
    public static TheoryData<string, EnclaveManifest> Bad => new()
    {
        { "volumes: must have 1 to 64", With([]) },
        { "volumes[1].name", With([Empty("a"), Empty("a")]) },
        { "volumes[0].name", With([Empty("../a")]) },
        { "volumes[0]: must have exactly one", With([Empty("a") with { Files = [] }]) },
        { "volumes[0].emptyDir.sizeBytes", With([new() { Name = "a", EmptyDir = new() { SizeBytes = 0 } }]) },
        { "volumes[0].files[0].digest", With([Files(File("x") with { Digest = "00" })]) },
        { "volumes[0].files[0].digest", With([Files(File("x") with { Text = null, Base64 = "not base64" })]) },
        { "volumes[0].files[0].mode", With([Files(File("x") with { Mode = 512 })]) },
        { "volumes[0].files[0]: must have exactly one", With([Files(File("x") with { Base64 = "" })]) },
        { "volumes[0].files: paths", With([Files(File("../x"))]) },
        { "volumes[0].files: paths", With([Files(File("/x"))]) },
        { "volumes[0].files: paths", With([Files(File("a//x"))]) },
        { "volumes[0].files: paths", With([Files(File("..data"))]) },
        { "volumes[0].files: paths", With([Files(File("x"), File("x"))]) },
        { "volumes[0].files: 'x' is a file and a folder", With([Files(File("x"), File("x/y"))]) },
        { "volumes: have 257 files", With([Files([.. Enumerable.Range(0, 257).Select(i => File($"f{i}"))])]) },
        { "volumes[0].secret", With([new() { Name = "a", Secret = new() { Name = "a/b", Mode = 0 } }]) },
        { "volumes[0].secret.items", With([new() { Name = "a", Secret = new() { Name = "a", Mode = 0, Items = [] } }]) },
        { "volumes[0].secret.items", With([new() { Name = "a", Secret = new() { Name = "a", Mode = 0, Items = [new() { Key = "k", Path = "..", Mode = 0 }] } }]) },
        { "containers[0].mounts[0].volume", With([Empty("a")], Mount("b", "/b")) },
        { "containers[0].mounts[0].path", With([Empty("a")], Mount("a", "/proc")) },
        { "containers[0].mounts[0].path", With([Empty("a")], Mount("a", "/a/../proc")) },
        { "containers[0].mounts[1].path", With([Empty("a")], Mount("a", "/a"), Mount("a", "/a")) },
        { "containers[0].mounts[0].subPath", With([Empty("a")], Mount("a", "/a") with { SubPath = "../b" }) },
        { "containers[0].mounts[0].readOnly", With([Files(File("x"))], Mount("a", "/a")) },
        { "containers[0].env[0]: must have exactly one", Variable(new() { Name = "A" }) },
        { "containers[0].env[0]: must have exactly one", Variable(new() { Name = "A", Value = "", Secret = new() { Name = "a", Key = "b" } }) },
        { "containers[0].env[0].secret", Variable(new() { Name = "A", Secret = new() { Name = "../a", Key = "b" } }) },
        { "containers[0].env[0].secret", Variable(new() { Name = "A", Secret = new() { Name = "a", Key = "b/c" } }) },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_cannot_be_is_refused_with_its_path(string problem, EnclaveManifest manifest) =>
        Should.Throw<ManifestException>(() => ManifestCodec.Read(ManifestCodec.Write(manifest))).Message.ShouldStartWith($"manifest.{problem}");

    [Fact]
    public void What_can_be_is_read_as_it_was_written()
    {
        var manifest = With([Files(File("a/x"), File("b")), Empty("scratch")], Mount("a", "/a") with { ReadOnly = true, SubPath = "a" }, Mount("scratch", "/tmp"));
        var bytes = ManifestCodec.Write(manifest);
        ManifestCodec.Write(ManifestCodec.Read(bytes)).ShouldBe(bytes);
    }

    private static EnclaveManifest With(IReadOnlyList<ManifestVolume> volumes, params ManifestMount[] mounts) =>
        TestManifests.Of([], TestManifests.Container("app") with { Mounts = mounts.Length == 0 ? null : mounts }) with { Volumes = volumes };

    private static EnclaveManifest Variable(ManifestEnv variable) => TestManifests.Of([], TestManifests.Container("app") with { Env = [variable] });

    private static ManifestVolume Empty(string name) => new() { Name = name, EmptyDir = new() };

    private static ManifestVolume Files(params ManifestFile[] files) => new() { Name = "a", Files = files };

    private static ManifestFile File(string path) => new() { Path = path, Mode = 420, Text = "text", Digest = Convert.ToHexStringLower(SHA384.HashData(Encoding.UTF8.GetBytes("text"))) };

    private static ManifestMount Mount(string volume, string path) => new() { Volume = volume, Path = path, ReadOnly = false };
}
