using Enclaves.Api;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Api;

public sealed class SecretNeedTests
{
    private static readonly EnvVarSource Password = new() { SecretKeyRef = new() { Name = "db", Key = "password" } };

    [Fact]
    public void Every_secret_that_a_spec_refers_to_is_needed_once_with_its_keys()
    {
        var settings = EnclaveSettings.Of(new()
        {
            UserPlugins =
            [
                new() { Name = "a", Image = "a", ImagePullSecret = "pull", Env = [new() { Name = "A", ValueFrom = Password }, new() { Name = "B", Value = "b" }] },
                new() { Name = "b", Image = "b", Env = [new() { Name = "U", ValueFrom = new() { SecretKeyRef = new() { Name = "db", Key = "user" } } }, new() { Name = "P", ValueFrom = Password }] },
            ],
            PrivilegedPlugins =
            [
                new() { Kind = PrivilegedKinds.Auth, Name = "gate", Image = "g", Spec = new() { Env = [new() { Name = "X", ValueFrom = new() { SecretKeyRef = new() { Name = "db", Key = "x", Optional = true } } }] } },
            ],
            Volumes =
            [
                new() { Name = "v", Secret = new() { SecretName = "certs" } },
                new() { Name = "w", Secret = new() { SecretName = "certs", Items = [new() { Key = "tls.crt", Path = "a/b" }], Optional = true } },
                new() { Name = "x", ConfigMap = new() { Name = "no-secret" } },
            ],
            Logging = new() { Backend = LoggingBackends.Otlp, Otlp = new() { Endpoint = "https://otel.example", HeadersSecret = "headers" } },
        });
        settings.PullSecrets.ShouldBe(["pull"]);
        settings.Secrets!.Select(need => $"{need.Name} {(need.Keys is null ? "*" : string.Join('+', need.Keys))}{(need.Optional ? "?" : "")}")
            .ShouldBe(["certs *", "certs tls.crt?", "db password+user", "db x?", "headers *"]);
        EnclaveSettings.FromJson(settings.ToJson()).ToJson().ShouldBe(settings.ToJson());
    }

    // Any other text of the annotation would roll every enclave of a cluster when the Reconciler is upgraded.
    [Fact]
    public void Where_only_pull_secrets_are_needed_the_annotation_is_what_it_always_was() =>
        EnclaveSettings.Of(new() { UserPlugins = [new() { Name = "a", Image = "a", ImagePullSecret = "pull" }] }).ToJson()
            .ShouldBe("""{"cpuCount":2,"memoryMiB":1024,"hugepageSize":"2Mi","ports":[],"pullSecrets":["pull"],"debugMode":false}""");

    [Fact]
    public void What_admission_refuses_is_left_out() =>
        SecretNeed.Of(new()
        {
            UserPlugins = [new() { Name = "a", Image = "a", Env = [new() { ValueFrom = new() { SecretKeyRef = new() } }, new() { ValueFrom = new() { SecretKeyRef = new() { Name = "n" } } }] }],
            Volumes = [new() { Secret = new() }],
        }).ShouldBeEmpty();
}
