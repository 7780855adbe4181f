using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Secrets;
using Enclaves.Orchestrator.Volumes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

public sealed class VolumeFoldersTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("enclaves-volumes-").FullName;
    private readonly SecretStore _secrets = new();

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Files_have_their_content_and_mode_in_folders_of_their_own()
    {
        var (folders, app) = Made(new ManifestVolume
        {
            Name = "settings",
            Files = [new() { Path = "a/b/one", Mode = 0b110_000_000, Digest = "", Text = "1€" }, new() { Path = "two", Mode = 0b101_101_101, Digest = "", Base64 = "AAH/" }],
        });
        var mount = folders.MountsOf(app, _secrets).ShouldHaveSingleItem();
        mount.Target.ShouldBe("/v");
        mount.ReadOnly.ShouldBeTrue();
        File.ReadAllText(Path.Combine(mount.Source, "a/b/one")).ShouldBe("1€");
        File.ReadAllBytes(Path.Combine(mount.Source, "two")).ShouldBe([0, 1, 255]);
        ((int)File.GetUnixFileMode(Path.Combine(mount.Source, "a/b/one"))).ShouldBe(0b110_000_000);
        ((int)File.GetUnixFileMode(Path.Combine(mount.Source, "two"))).ShouldBe(0b101_101_101);
        ((int)File.GetUnixFileMode(Path.Combine(mount.Source, "a"))).ShouldBe(0b111_101_101);
    }

    [Fact]
    public void Each_set_of_Secret_values_has_a_folder_of_its_own_and_the_one_before_stays()
    {
        var (folders, app) = Made(new ManifestVolume { Name = "keys", Secret = new() { Name = "tls", Mode = 0b100_000_000 } });
        var seen = new List<string>();
        foreach (var value in new byte[] { 1, 1, 2, 3 })
        {
            Put("tls", ("key", [value]));
            seen.Add(folders.MountsOf(app, _secrets)[0].Source);
            File.ReadAllBytes(Path.Combine(seen[^1], "key")).ShouldBe([value]);
        }

        seen[1].ShouldBe(seen[0]);
        seen.Distinct().Count().ShouldBe(3);
        Directory.Exists(seen[0]).ShouldBeFalse();
        Directory.Exists(seen[2]).ShouldBeTrue();
        ((int)File.GetUnixFileMode(Path.Combine(seen[3], "key"))).ShouldBe(0b100_000_000);
    }

    [Fact]
    public void What_is_missing_of_a_Secret_is_named_unless_it_is_optional()
    {
        var secret = new ManifestSecretFiles { Name = "tls", Mode = 420 };
        Problem(secret).ShouldBe("volume keys: there is no Secret tls; create it, which is noticed by itself");
        Files(secret with { Optional = true }).ShouldBeEmpty();
        Put("tls", ("key", [1]), ("other", [2]));
        Files(secret).ShouldBe(["key", "other"]);
        var items = secret with { Items = [new() { Key = "key", Path = "to/key", Mode = 256 }, new() { Key = "crt", Path = "crt", Mode = 256 }] };
        Problem(items).ShouldContain("no key crt in a Secret tls");
        Files(items with { Optional = true }).ShouldBe(["to/key"]);
    }

    [Fact]
    public void A_subPath_leads_to_a_part_and_to_nothing_that_is_not_there()
    {
        var (folders, app) = Made(new ManifestVolume { Name = "settings", Files = [new() { Path = "a/one", Mode = 420, Digest = "", Text = "1" }] }, "a/one");
        File.ReadAllText(folders.MountsOf(app, _secrets)[0].Source).ShouldBe("1");
        var wrong = app with { Mounts = [app.Mounts![0] with { SubPath = "b" }] };
        Should.Throw<ContainerRuntimeException>(() => folders.MountsOf(wrong, _secrets)).Message.ShouldContain("volume settings has no b");
    }

    [Fact]
    public void An_empty_folder_is_everybodys()
    {
        var (folders, app) = Made(new ManifestVolume { Name = "scratch", EmptyDir = new() });
        ((int)File.GetUnixFileMode(folders.MountsOf(app, _secrets)[0].Source)).ShouldBe(0b111_111_111);
    }

    [Fact]
    public void An_enclave_that_is_started_again_in_the_same_place_begins_anew()
    {
        var app = TestManifests.Container("app") with { Mounts = [new() { Volume = "scratch", Path = "/v", ReadOnly = false }, new() { Volume = "keys", Path = "/keys", ReadOnly = true }] };
        Put("tls", ("key", [1]));
        for (var boot = 0; boot < 2; boot++)
        {
            var folders = new VolumeFolders(_root, mounts: false);
            folders.Take(TestManifests.Of([], app) with { Volumes = [new() { Name = "scratch", EmptyDir = new() }, new() { Name = "keys", Secret = new() { Name = "tls", Mode = 420 } }] });
            folders.Make();
            var mounts = folders.MountsOf(app, _secrets);
            Directory.EnumerateFileSystemEntries(mounts[0].Source).ShouldBeEmpty();
            File.WriteAllText(Path.Combine(mounts[0].Source, "left"), "");
        }
    }

    [Fact]
    public void A_folder_beneath_is_never_reached_over_a_link()
    {
        Directory.CreateDirectory(Path.Combine(_root, "volume/real"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "volume/link"), "/etc");
        File.WriteAllText(Path.Combine(_root, "volume/file"), "");
        foreach (var sub in new[] { "link", "link/ssl", "real/../link", "file", "file/x" })
            Should.Throw<IOException>(() => FolderBeneath.Bind(Path.Combine(_root, "volume"), sub, Path.Combine(_root, "target")), sub);
    }

    private (VolumeFolders Folders, ManifestContainer App) Made(ManifestVolume volume, string? sub = null)
    {
        var app = TestManifests.Container("app") with { Mounts = [new() { Volume = volume.Name, Path = "/v", SubPath = sub, ReadOnly = volume.EmptyDir is null }] };
        var folders = new VolumeFolders(Path.Combine(_root, Guid.NewGuid().ToString("n")), mounts: false);
        folders.Take(TestManifests.Of([], app) with { Volumes = [volume] });
        folders.Make();
        return (folders, app);
    }

    private string Problem(ManifestSecretFiles secret)
    {
        var (folders, app) = Made(new ManifestVolume { Name = "keys", Secret = secret });
        var problem = Should.Throw<ContainerRuntimeException>(() => folders.MountsOf(app, _secrets));
        problem.Reason.ShouldBe("CreateContainerConfigError");
        return problem.Message;
    }

    private IEnumerable<string> Files(ManifestSecretFiles secret)
    {
        var (folders, app) = Made(new ManifestVolume { Name = "keys", Secret = secret });
        var folder = folders.MountsOf(app, _secrets)[0].Source;
        return [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file)).Order(StringComparer.Ordinal)];
    }

    private void Put(string secret, params (string Key, byte[] Value)[] values) => _secrets.Replace(new Dictionary<string, IReadOnlyDictionary<string, byte[]>>
    {
        [secret] = values.ToDictionary(value => value.Key, value => value.Value),
    });
}
