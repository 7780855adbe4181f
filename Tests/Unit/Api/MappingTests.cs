using System.Text.Json;
using Enclaves.Api;
using Enclaves.Channel.Manifest;
using k8s.Models;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Api;

public sealed class MappingTests
{
    private static readonly UserPlugin Web = new()
    {
        Name = "web",
        Image = "registry.example:5000/web:1",
        ImagePullSecret = "pull",
        Env = [new EnvVar { Name = "A" }],
        Ports = [new PluginPort { ContainerPort = 9000 }, new PluginPort { ContainerPort = 8080, HostPort = 80 }],
        OutboundConnections = [new OutboundConnection { Fqdn = "api.example", Port = 443 }],
    };

    private static readonly UserPlugin Job = new()
    {
        Name = "job",
        Image = "nginx",
        ImagePullSecret = "pull",
        RestartPolicy = RestartPolicies.Never,
        Ports = [new PluginPort { ContainerPort = 8081, HostPort = 81, Name = "admin" }],
    };

    [Fact]
    public void Every_default_is_resolved_in_the_manifest()
    {
        var manifest = Map(new() { UserPlugins = [Web, Job], RestartPolicy = RestartPolicies.OnFailure });
        manifest.Containers.Select(container => container.RestartPolicy).ShouldBe(["OnFailure", "Never"]);
        manifest.Containers[0].Env.ShouldBe([new ManifestEnv { Name = "A", Value = "" }]);
        manifest.Containers[0].Outbound.ShouldBe([new ManifestOutbound { Host = "api.example", Port = 443 }]);
        ManifestCodec.Read(ManifestCodec.Write(manifest)).Name.ShouldBe("demo");
    }

    [Fact]
    public void What_an_enclave_does_not_have_yet_is_listed_by_its_path()
    {
        NotYetRunnable.Of(new() { UserPlugins = [Web, Job] }).ShouldBeEmpty();
        NotYetRunnable.Of(new()
        {
            Enclave = new() { Image = "registry.example/other@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
            UserPlugins = [Web],
        }).ShouldBe(["spec.enclave.image"]);
        NotYetRunnable.Of(new() { Enclave = new() { Image = "other.eif" }, UserPlugins = [Web] }).ShouldBeEmpty();
    }

    [Fact]
    public void Variables_are_given_their_values_and_optional_ones_without_a_value_are_left_out()
    {
        var spec = new NitroEnclaveDeploymentSpec
        {
            UserPlugins =
            [
                Web with
                {
                    Env =
                    [
                        new() { Name = "NAME", ValueFrom = new() { FieldRef = new() { FieldPath = NedFieldPaths.Name } } },
                        new() { Name = "SPACE", ValueFrom = new() { FieldRef = new() { FieldPath = NedFieldPaths.Namespace } } },
                        new() { Name = "GONE", ValueFrom = new() { ConfigMapKeyRef = new() { Name = "settings", Key = "gone", Optional = true } } },
                        new() { Name = "COLOUR", ValueFrom = new() { ConfigMapKeyRef = new() { Name = "settings", Key = "colour" } } },
                    ],
                },
            ],
        };
        var config = new TestConfig(("settings", "colour", new ConfigValue("blue")));
        NotYetRunnable.Of(spec).ShouldBeEmpty();
        ConfigReference.Of(spec).ShouldBe([
            new("spec.userPlugins[0].env[2].valueFrom.configMapKeyRef", "settings", "gone", true), new("spec.userPlugins[0].env[3].valueFrom.configMapKeyRef", "settings", "colour", false)]);
        Map(spec, config).Containers[0].Env.ShouldBe([
            new() { Name = "NAME", Value = "demo" }, new() { Name = "SPACE", Value = "team" }, new() { Name = "COLOUR", Value = "blue" }]);
        Should.Throw<NedSpecException>(() => Map(spec)).Field.ShouldBe("spec.userPlugins[0].env[3].valueFrom.configMapKeyRef");
    }

    [Fact]
    public void Privileged_plugins_come_first_with_their_roles()
    {
        var gate = new PrivilegedPlugin { Kind = PrivilegedKinds.Auth, Name = "gate", Image = "gate", ProxyPort = 9000, Spec = new() { Ports = [new PluginPort { ContainerPort = 1, HostPort = 443 }] } };
        var spec = new NitroEnclaveDeploymentSpec { UserPlugins = [Web], PrivilegedPlugins = [gate] };
        Map(spec).Containers.Select(container => $"{container.Role} {container.Name}").ShouldBe(["auth gate", "user web"]);
        Map(spec).Containers.Select(container => container.ProxyPort).ShouldBe([9000, null]);
        ExposedPort.Of(spec).Select(port => $"{port.HostPort} {port.IngressPort}").ShouldBe(["443 20000", "80 20001"]);
    }

    [Fact]
    public void What_a_logging_plugin_may_read_and_what_is_to_be_attested_are_parts_of_the_manifest()
    {
        var shipper = new PrivilegedPlugin { Kind = PrivilegedKinds.Logging, Name = "shipper", Image = "shipper", Spec = new() { LogsAccess = ["web"] } };
        var web = Web with { OutboundConnections = [new() { Fqdn = "a.example", Port = 1, Type = OutboundTypes.Default }, new() { Fqdn = "b.example", Port = 2, Type = OutboundTypes.Proxy }] };
        var containers = Map(new() { UserPlugins = [web], PrivilegedPlugins = [shipper] }).Containers;
        containers[0].LogsAccess.ShouldBe(["web"]);
        containers[1].LogsAccess.ShouldBeNull();
        containers[1].Outbound.Select(outbound => outbound.Type).ShouldBe([null, "proxy"]);
    }

    [Fact]
    public void Where_logs_go_is_a_setting_of_the_pod_and_nothing_where_it_is_the_default()
    {
        EnclaveSettings.Of(new() { UserPlugins = [Web], Logging = new() { Backend = LoggingBackends.Stdout, Level = LoggingLevels.Info } }).Logging.ShouldBeNull();
        var otlp = new OtlpSpec { Endpoint = "https://otel.example:4317", Protocol = OtlpProtocols.Http, HeadersSecret = "otel" };
        var settings = EnclaveSettings.Of(new() { UserPlugins = [Web], Logging = new() { Backend = LoggingBackends.Otlp, Otlp = otlp, Level = LoggingLevels.Debug } });
        settings.Logging.ShouldBe(new() { Level = "debug", OtlpEndpoint = "https://otel.example:4317", OtlpProtocol = "http", OtlpHeadersSecret = "otel" });
        settings.Secrets!.ShouldHaveSingleItem().Name.ShouldBe("otel");
        EnclaveSettings.FromJson(settings.ToJson()).Logging.ShouldBe(settings.Logging);
    }

    [Fact]
    public void Exposed_ports_are_numbered_over_all_plugins_in_order()
    {
        var spec = new NitroEnclaveDeploymentSpec { UserPlugins = [Web, Job] };
        Map(spec).Containers.SelectMany(container => container.Ports).ShouldBe([
            new ManifestPort { ContainerPort = 9000 },
            new ManifestPort { ContainerPort = 8080, IngressPort = 20000 },
            new ManifestPort { ContainerPort = 8081, IngressPort = 20001 },
        ]);
        ExposedPort.Of(spec).ShouldBe([new("port-80", 80, 8080, 20000), new("admin", 81, 8081, 20001)]);
        EnclaveSettings.Of(spec).Ports.ShouldBe([20000, 20001]);
    }

    [Fact]
    public void Image_pulls_may_reach_the_images_registries_and_those_of_the_spec()
    {
        var spec = new NitroEnclaveDeploymentSpec { UserPlugins = [Web, Job], Enclave = new() { Registries = ["CDN.example"] } };
        Map(spec).Registries.ShouldBe(["cdn.example", "registry-1.docker.io", "registry.example:5000"]);
    }

    [Fact]
    public void The_digest_does_not_depend_on_how_the_enclave_is_run()
    {
        byte[] Digest(NitroEnclaveDeploymentSpec spec) => ManifestCodec.Digest(ManifestCodec.Write(Map(spec)));
        Digest(new() { UserPlugins = [Web], Replicas = 3, Enclave = new() { Memory = "4Gi" }, Paused = true }).ShouldBe(Digest(new() { UserPlugins = [Web] }));
    }

    [Theory]
    [InlineData(null, null, 1024, "2Mi")]
    [InlineData("4Gi", null, 4096, "1Gi")]
    [InlineData("4608Mi", null, 4608, "2Mi")]
    [InlineData("4Gi", "2Mi", 4096, "2Mi")]
    public void Page_size_follows_the_memory_unless_it_is_given(string? memory, string? pages, long mib, string size)
    {
        var settings = EnclaveSettings.Of(new() { UserPlugins = [Web, Job], Enclave = new() { Memory = memory, HugepageSize = pages } });
        (settings.MemoryMiB, settings.HugepageSize, settings.CpuCount).ShouldBe((mib, size, 2));
        settings.PullSecrets.ShouldBe(["pull"]);
    }

    [Fact]
    public void Settings_survive_their_annotation_and_refuse_what_they_do_not_know()
    {
        var settings = EnclaveSettings.Of(new() { UserPlugins = [Web] });
        EnclaveSettings.FromJson(settings.ToJson()).ToJson().ShouldBe(settings.ToJson());
        Should.Throw<JsonException>(() => EnclaveSettings.FromJson(settings.ToJson().Replace("{", "{\"newer\":1,", StringComparison.Ordinal))).Message.ShouldContain("newer");
        Should.Throw<JsonException>(() => EnclaveSettings.FromJson("{}"));
        Should.Throw<JsonException>(() => EnclaveSettings.FromJson("null"));
    }

    [Fact]
    public void What_cannot_be_mapped_is_an_error_with_its_path()
    {
        Should.Throw<NedSpecException>(() => Map(new())).Field.ShouldBe("spec.userPlugins");
        Should.Throw<NedSpecException>(() => Map(new() { UserPlugins = [Web with { Image = "A b" }] })).Field.ShouldBe("spec.userPlugins[0].image");
        Should.Throw<NedSpecException>(() => EnclaveSettings.Of(new() { Enclave = new() { Memory = "65Ki" } })).Field.ShouldBe("spec.enclave.memory");
    }

    [Fact]
    public void The_longest_name_leaves_room_for_the_childrens()
    {
        NedNames.ManifestConfigMap(new string('a', NedNames.MaxNameLength), new string('0', 96)).Length.ShouldBe(63);
    }

    private static EnclaveManifest Map(NitroEnclaveDeploymentSpec spec, IConfigValues? config = null) =>
        ManifestMapping.ToManifest(Ned(spec), config ?? new TestConfig());

    private static NitroEnclaveDeployment Ned(NitroEnclaveDeploymentSpec spec) =>
        new() { Metadata = new V1ObjectMeta { Name = "demo", NamespaceProperty = "team" }, Spec = spec };
}
