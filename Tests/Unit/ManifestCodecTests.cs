using System.Text;
using Enclaves.Channel.Manifest;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class ManifestCodecTests
{
    [Fact]
    public void A_manifest_survives_writing_and_reading()
    {
        var bytes = ManifestCodec.Write(Manifest());
        var read = ManifestCodec.Read(bytes);
        ManifestCodec.Write(read).ShouldBe(bytes);
        read.Containers[0].Env[0].Value.ShouldBe("line\nquote\" \u20ac");
    }

    [Fact]
    public void The_canonical_form_sorts_names_and_escapes_only_what_it_must()
    {
        var text = Encoding.UTF8.GetString(ManifestCodec.Write(Manifest()));
        text.ShouldStartWith("{\"containers\":[{\"args\":[],\"command\":[],\"env\":[{\"name\":\"A\",\"value\":\"line\\nquote\\\" \u20ac\"}],\"image\":");
        text.ShouldEndWith("\"schema\":\"enclaves/v1\"}");
    }

    [Theory]
    [InlineData(" ", "canonical")]
    [InlineData("{}", "$")]
    [InlineData("null", "null")]
    [InlineData("{\"schema\":\"enclaves/v1\",\"surprise\":1}", "surprise")]
    public void Anything_but_a_canonical_manifest_is_refused_with_a_reason(string text, string reason)
    {
        var bytes = text == " " ? [.. ManifestCodec.Write(Manifest()), (byte)' '] : Encoding.UTF8.GetBytes(text);
        Should.Throw<ManifestException>(() => ManifestCodec.Read(bytes)).Message.ShouldContain(reason);
    }

    [Fact]
    public void A_name_that_could_leave_its_folder_is_refused()
    {
        var manifest = Manifest() with { Containers = [Manifest().Containers[0] with { Name = "../etc" }] };
        Should.Throw<ManifestException>(() => ManifestCodec.Read(ManifestCodec.Write(manifest))).Message.ShouldContain("containers[0].name");
    }

    [Theory]
    [InlineData(ContainerRole.Auth, null, null, "containers[0].proxyPort")]
    [InlineData(ContainerRole.Auth, 0, null, "containers[0].proxyPort")]
    [InlineData(ContainerRole.User, 9000, null, "containers[0].proxyPort")]
    [InlineData(ContainerRole.User, null, "second", "containers[0].logsAccess")]
    [InlineData(ContainerRole.Logging, null, "nobody", "containers[0].logsAccess")]
    public void What_is_another_roles_is_refused_and_what_the_own_needs_is_asked_for(string role, int? proxyPort, string? logs, string path)
    {
        var container = Manifest().Containers[0] with { Role = role, ProxyPort = proxyPort, LogsAccess = logs is null ? null : [logs] };
        var manifest = Manifest() with { Containers = [container, Manifest().Containers[0] with { Name = "second", Ports = [] }] };
        Should.Throw<ManifestException>(() => ManifestCodec.Read(ManifestCodec.Write(manifest))).Message.ShouldContain(path);
    }

    [Theory]
    [InlineData("\"args\":[]", "\"args\":[null]", "containers[0].args[0]")]
    [InlineData("\"command\":[]", "\"command\":[null]", "containers[0].command[0]")]
    [InlineData("\"outbound\":[]", "\"outbound\":[null]", "containers[0].outbound[0]")]
    [InlineData("[{\"containerPort\":8080,\"ingressPort\":20000}]", "[null]", "containers[0].ports[0]")]
    [InlineData("[\"registry.example\"]", "[null]", "registries[0]")]
    [InlineData("[\"registry.example\"]", "[\"x:y\"]", "registries[0]")]
    public void Items_that_are_none_are_refused_with_their_path(string part, string instead, string path)
    {
        var text = Encoding.UTF8.GetString(ManifestCodec.Write(Manifest()));
        text.ShouldContain(part);
        Should.Throw<ManifestException>(() => ManifestCodec.Read(Encoding.UTF8.GetBytes(text.Replace(part, instead, StringComparison.Ordinal))))
            .Message.ShouldContain(path);
    }

    [Fact]
    public void A_container_that_is_null_is_refused() =>
        Should.Throw<ManifestException>(() => ManifestCodec.Read("""{"containers":[null],"name":"a","namespace":"b","registries":[],"schema":"enclaves/v1"}"""u8.ToArray()))
            .Message.ShouldContain("containers[0]");

    [Fact]
    public void More_containers_than_the_limit_are_refused()
    {
        var container = Manifest().Containers[0];
        EnclaveManifest With(int count) =>
            Manifest() with { Containers = [.. Enumerable.Range(0, count).Select(i => container with { Name = $"c{i}", Ports = [] })] };
        ManifestCodec.Read(ManifestCodec.Write(With(64))).Containers.Count.ShouldBe(64);
        Should.Throw<ManifestException>(() => ManifestCodec.Read(ManifestCodec.Write(With(65)))).Message.ShouldContain("64");
    }

    [Fact]
    public void Probes_are_read_as_they_were_written()
    {
        var http = new ManifestHttpGet { Scheme = "HTTP", Port = 80, Path = "/up", Headers = [new ManifestHeader { Name = "X", Value = "1" }] };
        var manifest = With(Probe() with { Exec = null, HttpGet = http });
        var read = ManifestCodec.Read(ManifestCodec.Write(manifest)).Containers[0].ReadinessProbe.ShouldNotBeNull();
        read.HttpGet.ShouldNotBeNull().Headers.ShouldBe(http.Headers);
        (read with { HttpGet = http }).ShouldBe(manifest.Containers[0].ReadinessProbe);
    }

    public static TheoryData<ManifestProbe, string> BadProbes => new()
    {
        { Probe() with { TcpPort = 1 }, "readinessProbe: must have exactly one" },
        { Probe() with { Exec = null }, "readinessProbe: must have exactly one" },
        { Probe() with { Exec = [] }, "readinessProbe.exec" },
        { Probe() with { Exec = ["a", null!] }, "readinessProbe.exec" },
        { Probe() with { Exec = null, TcpPort = 65536 }, "readinessProbe.tcpPort" },
        { Probe() with { PeriodSeconds = 0 }, "readinessProbe.periodSeconds" },
        { Probe() with { TimeoutSeconds = 3601 }, "readinessProbe.timeoutSeconds" },
        { Probe() with { FailureThreshold = 10001 }, "readinessProbe.failureThreshold" },
        { Http("up", "X"), "readinessProbe.httpGet.path" },
        { Http("/\n", "X"), "readinessProbe.httpGet.path" },
        { Http("/", "X:"), "readinessProbe.httpGet.headers[0].name" },
        { Http("/", "X") with { HttpGet = new() { Scheme = "FTP", Port = 1, Path = "/", Headers = [] } }, "readinessProbe.httpGet.scheme" },
    };

    [Theory]
    [MemberData(nameof(BadProbes))]
    public void A_probe_that_cannot_be_is_refused_with_its_path(ManifestProbe probe, string path) =>
        Should.Throw<ManifestException>(() => ManifestCodec.Read(ManifestCodec.Write(With(probe)))).Message.ShouldContain($"containers[0].{path}");

    private static EnclaveManifest With(ManifestProbe probe) =>
        Manifest() with { Containers = [Manifest().Containers[0] with { ReadinessProbe = probe }] };

    private static ManifestProbe Http(string path, string header) => Probe() with
    {
        Exec = null,
        HttpGet = new() { Scheme = "HTTP", Port = 1, Path = path, Headers = [new ManifestHeader { Name = header, Value = "" }] },
    };

    private static ManifestProbe Probe() => new()
    {
        Exec = ["/bin/true"],
        InitialDelaySeconds = 0,
        PeriodSeconds = 10,
        TimeoutSeconds = 1,
        SuccessThreshold = 1,
        FailureThreshold = 3,
    };

    private static EnclaveManifest Manifest() => new()
    {
        Schema = EnclaveManifest.CurrentSchema,
        Name = "hello",
        Namespace = "default",
        Registries = ["registry.example"],
        Containers =
        [
            new ManifestContainer
            {
                Name = "hello",
                Role = ContainerRole.User,
                Image = "registry.example/hello:1",
                Command = [],
                Args = [],
                Env = [new ManifestEnv { Name = "A", Value = "line\nquote\" \u20ac" }],
                Ports = [new ManifestPort { ContainerPort = 8080, IngressPort = 20000 }],
                Outbound = [],
                RestartPolicy = "Always",
            },
        ],
    };
}
