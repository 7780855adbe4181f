using Enclaves.Api;
using Enclaves.Channel.Manifest;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Api;

public sealed class VolumeMappingTests
{
    private static readonly TestConfig Config = new(
        ("settings", "b", new ConfigValue("two")), ("settings", "a", new ConfigValue("one")), ("settings", "bin", new ConfigValue(null, "AAH/")));

    [Fact]
    public void A_whole_ConfigMap_becomes_files_in_the_order_of_their_names()
    {
        var files = Files(new() { Name = "settings" });
        files.Select(file => $"{file.Path} {file.Mode} {file.Text}{file.Base64}").ShouldBe(["a 420 one", "b 420 two", "bin 420 AAH/"]);
        files[0].Digest.ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA384.HashData("one"u8)));
    }

    [Fact]
    public void Items_choose_paths_and_modes_and_what_is_optional_may_be_missing()
    {
        var volume = new ConfigMapVolume { Name = "settings", DefaultMode = 256, Items = [new() { Key = "b", Path = "x/b" }, new() { Key = "gone", Path = "gone" }, new() { Key = "a", Path = "a", Mode = 511 }] };
        Files(volume with { Optional = true }).Select(file => $"{file.Path} {file.Mode}").ShouldBe(["a 511", "x/b 256"]);
        Should.Throw<NedSpecException>(() => Files(volume)).Field.ShouldBe("spec.volumes[0].configMap.items[1].key");
        Files(new() { Name = "nowhere", Optional = true }).ShouldBeEmpty();
        Should.Throw<NedSpecException>(() => Files(new() { Name = "nowhere" })).Field.ShouldBe("spec.volumes[0].configMap.name");
    }

    [Fact]
    public void Secrets_and_empty_folders_are_only_named_and_mounts_of_files_cannot_be_written_to()
    {
        var manifest = Map(
            new NedVolume { Name = "keys", Secret = new() { SecretName = "tls", Items = [new() { Key = "k", Path = "p" }] } }, new NedVolume { Name = "scratch", EmptyDir = new() { SizeLimit = "64Mi" } });
        manifest.Volumes![0].Secret!.Items!.ShouldBe([new() { Key = "k", Path = "p", Mode = 420 }]);
        manifest.Volumes[1].EmptyDir!.SizeBytes.ShouldBe(64 << 20);
        manifest.Containers[0].Mounts!.Select(mount => $"{mount.Volume} {mount.ReadOnly}").ShouldBe(["keys True", "scratch False"]);
        SecretReferences.Of(manifest).ShouldHaveSingleItem().Key.ShouldBe("tls");
        ManifestCodec.Read(ManifestCodec.Write(manifest)).Volumes!.Count.ShouldBe(2);
    }

    [Fact]
    public void Variables_out_of_Secrets_are_references_in_the_manifest()
    {
        var env = new EnvVar { Name = "A", ValueFrom = new() { SecretKeyRef = new() { Name = "db", Key = "password", Optional = true } } };
        var manifest = ManifestMapping.ToManifest(Ned(new() { UserPlugins = [new() { Name = "web", Image = "web", Env = [env] }] }), Config);
        manifest.Containers[0].Env.ShouldBe([new() { Name = "A", Secret = new() { Name = "db", Key = "password", Optional = true } }]);
        SecretReferences.Of(manifest)["db"]!.ShouldBe(["password"]);
        ManifestCodec.Read(ManifestCodec.Write(manifest)).Containers[0].Env.ShouldBe(manifest.Containers[0].Env);
    }

    [Fact]
    public void A_NED_without_volumes_has_the_manifest_that_it_always_had()
    {
        var text = System.Text.Encoding.UTF8.GetString(ManifestCodec.Write(ManifestMapping.ToManifest(Ned(new() { UserPlugins = [new() { Name = "web", Image = "web" }] }), Config)));
        text.ShouldBe("""{"containers":[{"args":[],"command":[],"env":[],"image":"web","name":"web","outbound":[],"ports":[],"restartPolicy":"Always","role":"user"}],"name":"demo","namespace":"team","registries":["registry-1.docker.io"],"schema":"enclaves/v1"}""");
    }

    private static IReadOnlyList<ManifestFile> Files(ConfigMapVolume volume)
    {
        var manifest = Map(new NedVolume { Name = "v", ConfigMap = volume });
        ManifestCodec.Check(manifest);
        return manifest.Volumes![0].Files!;
    }

    private static EnclaveManifest Map(params NedVolume[] volumes) => ManifestMapping.ToManifest(Ned(new()
    {
        Volumes = volumes,
        UserPlugins = [new() { Name = "web", Image = "web", VolumeMounts = [.. volumes.Select(volume => new PluginMount { Name = volume.Name, MountPath = $"/{volume.Name}" })] }],
    }), Config);

    private static NitroEnclaveDeployment Ned(NitroEnclaveDeploymentSpec spec) =>
        new() { Metadata = new V1ObjectMeta { Name = "demo", NamespaceProperty = "team" }, Spec = spec };
}
