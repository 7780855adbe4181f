using System.Text.Json.Nodes;
using Enclaves.Webhook.Review;
using Enclaves.Webhook.Validation;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook;

/// <summary>Volumes, probes, privileged plugins and the rest of what a plugin may have: one bad field each, and what is said about it.</summary>
public sealed class PluginValidationTests
{
    private const string Digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private const string Valid = $$"""
        { "metadata": { "name": "demo", "namespace": "team" }, "spec": {
          "enclave": { "cpuCount": 4, "memory": "2Gi", "image": "base.eif" },
          "volumes": [
            { "name": "config", "configMap": { "name": "app-config", "items": [ { "key": "app.json", "path": "etc/app.json" } ] } },
            { "name": "keys", "secret": { "secretName": "app-keys" } },
            { "name": "scratch", "emptyDir": { "medium": "Memory", "sizeLimit": "64Mi" } } ],
          "logging": { "backend": "otlp", "otlp": { "endpoint": "https://otel.example:4317", "protocol": "grpc", "headersSecret": "otel" }, "level": "debug" },
          "privilegedPlugins": [
            { "kind": "auth", "name": "gate", "namespace": "team", "image": "registry.example/gate{{Digest}}", "proxyPort": 9000,
              "spec": { "ports": [ { "containerPort": 9000 } ], "volumes": [ { "name": "keys", "mountPath": "/keys" } ], "resources": { "limits": { "cpu": "500m" } } } },
            { "kind": "logging", "name": "shipper", "namespace": "team", "image": "registry.example/shipper{{Digest}}", "spec": { "logsAccess": [ "app" ] } } ],
          "userPlugins": [
            { "name": "app", "image": "registry.example/app{{Digest}}",
              "env": [ { "name": "A", "value": "1" }, { "name": "B", "valueFrom": { "configMapKeyRef": { "name": "c", "key": "k" } } },
                       { "name": "C", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } }, { "name": "D", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } } ],
              "ports": [ { "containerPort": 8080, "hostPort": 80 } ],
              "volumeMounts": [ { "name": "config", "mountPath": "/etc/app", "subPath": "etc", "readOnly": true }, { "name": "scratch", "mountPath": "/tmp/app" } ],
              "resources": { "limits": { "cpu": "2", "memory": "1Gi" } },
              "securityContext": { "runAsUser": 1000, "runAsGroup": 1000, "readOnlyRootFilesystem": true, "capabilities": { "add": [ "NET_BIND_SERVICE" ], "drop": [ "ALL" ] } },
              "livenessProbe": { "exec": { "command": [ "/bin/true" ] }, "periodSeconds": 5 },
              "readinessProbe": { "httpGet": { "path": "/healthz", "port": 8080 }, "successThreshold": 2 },
              "startupProbe": { "tcpSocket": { "port": 8080 }, "failureThreshold": 30 },
              "outboundConnections": [
                { "fqdn": "db.example", "port": 5432 }, { "fqdn": "10.1.2.3", "port": 5433, "type": "default" },
                { "fqdn": "peer.example", "port": 7000, "type": "enclave", "configMap": "peer" },
                { "fqdn": "api.example", "port": 444, "type": "proxy", "proxyUrl": "https://proxy.example", "attestationPort": 7001, "proxyAttestationIntervalSeconds": 60 } ] } ] } }
        """;

    [Fact]
    public void Everything_that_a_plugin_may_have_is_valid_and_what_will_be_refused_when_it_runs_is_said()
    {
        var decision = Decide(JsonNode.Parse(Valid)!);
        decision.Causes.ShouldBeEmpty();
        decision.Warnings.ShouldAllBe(warning => warning.Contains("needs attestation", StringComparison.Ordinal) || warning.StartsWith("spec.enclave.image: ", StringComparison.Ordinal));
        decision.Warnings.ShouldContain(warning => warning.StartsWith("spec.userPlugins[0].outboundConnections[3].type: 'proxy' needs attestation", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("spec|volumes|0|name", "\"No\"", "spec.volumes[0].name|spec.userPlugins[0].volumeMounts[0].name", "DNS label")]
    [InlineData("spec|volumes|0|configMap", "null", "spec.volumes[0]", "has none of its kinds; required is exactly one of configMap, secret, emptyDir")]
    [InlineData("spec|volumes|0|emptyDir", "{}", "spec.volumes[0]", "has configMap and emptyDir of its kinds")]
    [InlineData("spec|volumes|0|configMap|name", "\"No\"", "spec.volumes[0].configMap.name", "name of an object")]
    [InlineData("spec|volumes|0|configMap|items", "[{\"key\":\"a/b\",\"path\":\"a\"}]", "spec.volumes[0].configMap.items[0].key", "key of a ConfigMap")]
    [InlineData("spec|volumes|0|configMap|items", "[{\"key\":\"a\",\"path\":\"../a\"}]", "spec.volumes[0].configMap.items[0].path", "relative path")]
    [InlineData("spec|volumes|1|secret|secretName", "null", "spec.volumes[1].secret.secretName", "name of an object")]
    [InlineData("spec|volumes|2|emptyDir|medium", "\"Disk\"", "spec.volumes[2].emptyDir.medium", "Memory")]
    [InlineData("spec|volumes|2|emptyDir|sizeLimit", "\"much\"", "spec.volumes[2].emptyDir.sizeLimit", "not a quantity")]
    [InlineData("spec|volumes|2|name", "\"keys\"", "spec.userPlugins[0].volumeMounts[1].name|spec.volumes[2].name", "")]
    [InlineData("spec|userPlugins|0|volumeMounts|0|name", "\"other\"", "spec.userPlugins[0].volumeMounts[0].name", "allowed are config, keys, scratch")]
    [InlineData("spec|userPlugins|0|volumeMounts|0|mountPath", "\"etc\"", "spec.userPlugins[0].volumeMounts[0].mountPath", "absolute path")]
    [InlineData("spec|userPlugins|0|volumeMounts|0|mountPath", "\"/a/../b\"", "spec.userPlugins[0].volumeMounts[0].mountPath", "absolute path")]
    [InlineData("spec|userPlugins|0|volumeMounts|0|mountPath", "\"/proc\"", "spec.userPlugins[0].volumeMounts[0].mountPath", "container's own")]
    [InlineData("spec|userPlugins|0|volumeMounts|0|mountPath", "\"/\"", "spec.userPlugins[0].volumeMounts[0].mountPath", "container's own")]
    [InlineData("spec|userPlugins|0|volumeMounts|0|mountPath", "\"/tmp/app\"", "spec.userPlugins[0].volumeMounts[1].mountPath", "already used by spec.userPlugins[0].volumeMounts[0].mountPath")]
    [InlineData("spec|userPlugins|0|volumeMounts|0|subPath", "\"/etc\"", "spec.userPlugins[0].volumeMounts[0].subPath", "relative path")]
    [InlineData("spec|userPlugins|0|env|0|valueFrom", "{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}", "spec.userPlugins[0].env[0].valueFrom", "beside value")]
    [InlineData("spec|userPlugins|0|env|1|valueFrom", "{}", "spec.userPlugins[0].env[1].valueFrom", "exactly one of configMapKeyRef, secretKeyRef, fieldRef")]
    [InlineData("spec|userPlugins|0|env|1|valueFrom|configMapKeyRef|key", "\"\"", "spec.userPlugins[0].env[1].valueFrom.configMapKeyRef.key", "key of a ConfigMap")]
    [InlineData("spec|userPlugins|0|env|2|valueFrom|secretKeyRef|name", "\"S\"", "spec.userPlugins[0].env[2].valueFrom.secretKeyRef.name", "name of an object")]
    [InlineData("spec|userPlugins|0|env|3|valueFrom|fieldRef|fieldPath", "\"status.podIP\"", "spec.userPlugins[0].env[3].valueFrom.fieldRef.fieldPath", "metadata.name and metadata.namespace")]
    [InlineData("spec|userPlugins|0|resources|limits|cpu", "\"fast\"", "spec.userPlugins[0].resources.limits.cpu", "500m")]
    [InlineData("spec|userPlugins|0|resources|limits|cpu", "\"0\"", "spec.userPlugins[0].resources.limits.cpu", "above 0")]
    [InlineData("spec|userPlugins|0|resources|limits|memory", "\"0\"", "spec.userPlugins[0].resources.limits.memory", "above 0")]
    [InlineData("spec|userPlugins|0|resources|limits|cpu", "3.75", "spec.enclave.cpuCount", "4 CPUs are less than the plugins' resources.limits.cpu together, which are 4.25")]
    [InlineData("spec|userPlugins|0|resources|limits|memory", "\"3Gi\"", "spec.enclave.memory", "'2Gi' is less than the plugins' resources.limits.memory together")]
    [InlineData("spec|userPlugins|0|securityContext|runAsUser", "-1", "spec.userPlugins[0].securityContext.runAsUser", "0 to 2147483647")]
    [InlineData("spec|userPlugins|0|securityContext|capabilities|add", "[\"CAP_SYS_ADMIN\"]", "spec.userPlugins[0].securityContext.capabilities.add[0]", "without CAP_")]
    [InlineData("spec|userPlugins|0|livenessProbe", "{}", "spec.userPlugins[0].livenessProbe", "exactly one of exec, httpGet, tcpSocket")]
    [InlineData("spec|userPlugins|0|livenessProbe|exec|command", "[]", "spec.userPlugins[0].livenessProbe.exec.command", "program")]
    [InlineData("spec|userPlugins|0|livenessProbe|successThreshold", "2", "spec.userPlugins[0].livenessProbe.successThreshold", "readiness probes only")]
    [InlineData("spec|userPlugins|0|livenessProbe|periodSeconds", "0", "spec.userPlugins[0].livenessProbe.periodSeconds", "1 and more")]
    [InlineData("spec|userPlugins|0|readinessProbe|httpGet|path", "\"healthz\"", "spec.userPlugins[0].readinessProbe.httpGet.path", "begins with /")]
    [InlineData("spec|userPlugins|0|readinessProbe|httpGet|scheme", "\"ftp\"", "spec.userPlugins[0].readinessProbe.httpGet.scheme", "HTTPS")]
    [InlineData("spec|userPlugins|0|readinessProbe|httpGet|path", "\"/a\\nb\"", "spec.userPlugins[0].readinessProbe.httpGet.path", "no control characters")]
    [InlineData("spec|userPlugins|0|readinessProbe|httpGet|httpHeaders", """[{"name":"X-A","value":"1"},{"name":"X:","value":"1"}]""", "spec.userPlugins[0].readinessProbe.httpGet.httpHeaders[1].name", "letters, digits")]
    [InlineData("spec|userPlugins|0|readinessProbe|httpGet|httpHeaders", """[{"name":"X-A","value":"a\r\nb"}]""", "spec.userPlugins[0].readinessProbe.httpGet.httpHeaders[0].value", "control character")]
    [InlineData("spec|userPlugins|0|startupProbe|tcpSocket|port", "0", "spec.userPlugins[0].startupProbe.tcpSocket.port", "1 to 65535")]
    [InlineData("spec|userPlugins|0|outboundConnections|0|type", "\"tunnel\"", "spec.userPlugins[0].outboundConnections[0].type", "default, enclave and proxy")]
    [InlineData("spec|userPlugins|0|outboundConnections|0|configMap", "\"c\"", "spec.userPlugins[0].outboundConnections[0].configMap", "type enclave only")]
    [InlineData("spec|userPlugins|0|outboundConnections|0|proxyUrl", "\"https://x\"", "spec.userPlugins[0].outboundConnections[0].proxyUrl", "type proxy only")]
    [InlineData("spec|userPlugins|0|outboundConnections|2|fqdn", "\"10.0.0.1\"", "spec.userPlugins[0].outboundConnections[2].fqdn", "type enclave cannot have")]
    [InlineData("spec|userPlugins|0|outboundConnections|2|configMap", "null", "spec.userPlugins[0].outboundConnections[2].configMap", "required for type enclave")]
    [InlineData("spec|userPlugins|0|outboundConnections|3|proxyUrl", "\"http://proxy.example\"", "spec.userPlugins[0].outboundConnections[3].proxyUrl", "https://")]
    [InlineData("spec|userPlugins|0|outboundConnections|3|proxyUrl", "null", "spec.userPlugins[0].outboundConnections[3].proxyUrl", "required for type proxy")]
    [InlineData("spec|userPlugins|0|outboundConnections|3|attestationPort", "null", "spec.userPlugins[0].outboundConnections[3].attestationPort", "required for type proxy")]
    [InlineData("spec|userPlugins|0|outboundConnections|3|proxyAttestationIntervalSeconds", "14", "spec.userPlugins[0].outboundConnections[3].proxyAttestationIntervalSeconds", "15 to 300")]
    [InlineData("spec|privilegedPlugins|0|kind", "\"audit\"", "spec.privilegedPlugins[0].kind|spec.privilegedPlugins[0].proxyPort|spec.privilegedPlugins[0].spec.ports|spec.privilegedPlugins[0].spec.resources|spec.privilegedPlugins[0].spec.volumes", "")]
    [InlineData("spec|privilegedPlugins|0|proxyPort", "null", "spec.privilegedPlugins[0].proxyPort", "required for kind auth")]
    [InlineData("spec|privilegedPlugins|0|proxyPort", "8080", "spec.privilegedPlugins[0].proxyPort", "already used by spec.userPlugins[0].ports[0].containerPort")]
    [InlineData("spec|privilegedPlugins|0|proxyPort", "5432", "spec.privilegedPlugins[0].proxyPort", "inside the enclave port 5432 leads to db.example")]
    [InlineData("spec|privilegedPlugins|0|namespace", "null", "spec.privilegedPlugins[0].namespace", "DNS label")]
    [InlineData("spec|privilegedPlugins|0|name", "\"app\"", "spec.userPlugins[0].name", "already used by spec.privilegedPlugins[0].name")]
    [InlineData("spec|privilegedPlugins|0|spec|ports", "[{\"containerPort\":8080}]", "spec.userPlugins[0].ports[0].containerPort", "one network")]
    [InlineData("spec|privilegedPlugins|0|spec|volumes|0|name", "\"nothing\"", "spec.privilegedPlugins[0].spec.volumes[0].name", "not a volume")]
    [InlineData("spec|privilegedPlugins|1|spec", "null", "spec.privilegedPlugins[1].spec", "is required")]
    [InlineData("spec|privilegedPlugins|1|spec|logsAccess", "[\"nobody\"]", "spec.privilegedPlugins[1].spec.logsAccess[0]", "allowed are app, gate, shipper")]
    [InlineData("spec|privilegedPlugins|1|spec|resources", "{}", "spec.privilegedPlugins[1].spec.resources", "auth only")]
    [InlineData("spec|logging|backend", "\"syslog\"", "spec.logging.backend|spec.logging.otlp", "")]
    [InlineData("spec|logging|backend", "\"stdout\"", "spec.logging.otlp", "set spec.logging.backend")]
    [InlineData("spec|logging|otlp", "null", "spec.logging.otlp", "required for backend otlp")]
    [InlineData("spec|logging|otlp|endpoint", "\"otel:4317\"", "spec.logging.otlp.endpoint", "URL of a collector")]
    [InlineData("spec|logging|otlp|protocol", "\"udp\"", "spec.logging.otlp.protocol", "grpc and http")]
    [InlineData("spec|logging|level", "\"loud\"", "spec.logging.level", "debug, info, warn and error")]
    public void A_bad_field_is_refused_with_its_path_and_what_is_allowed(string where, string value, string fields, string allowed)
    {
        var decision = Decide(With(where, value));
        decision.Allowed.ShouldBeFalse();
        decision.Causes.Select(cause => cause.Field).ShouldBe(fields.Split('|'), ignoreOrder: true, string.Join('\n', decision.Causes));
        decision.Causes[0].Message.ShouldContain(allowed);
    }

    [Fact]
    public void One_plugin_of_a_kind_is_enough()
    {
        var ned = JsonNode.Parse(Valid)!;
        ned["spec"]!["privilegedPlugins"]![1]!["kind"] = "auth";
        ned["spec"]!["privilegedPlugins"]![1]!["proxyPort"] = 9001;
        ned["spec"]!["privilegedPlugins"]![1]!["spec"] = new JsonObject();
        Decide(ned).Causes.ShouldHaveSingleItem().ToString().ShouldContain("spec.privilegedPlugins[1].kind: 'auth' is already used by spec.privilegedPlugins[0].kind");
    }

    [Fact]
    public void A_privileged_plugin_alone_is_a_plugin()
    {
        var ned = JsonNode.Parse(Valid)!;
        ned["spec"]!.AsObject().Remove("userPlugins");
        ned["spec"]!["privilegedPlugins"]![1]!["spec"] = new JsonObject();
        Decide(ned).Causes.ShouldBeEmpty();
    }

    [Fact]
    public void Another_namespace_of_a_privileged_plugin_is_a_warning()
    {
        var decision = Decide(With("spec|privilegedPlugins|0|namespace", "\"other\""));
        decision.Allowed.ShouldBeTrue();
        decision.Warnings.ShouldContain(warning => warning.StartsWith("spec.privilegedPlugins[0].namespace: ", StringComparison.Ordinal) && warning.Contains("team", StringComparison.Ordinal));
    }

    [Fact]
    public void A_bad_privileged_plugin_that_did_not_change_does_not_block_an_update()
    {
        var old = With("spec|privilegedPlugins|1|image", "\"Bad Image\"");
        var moved = old.DeepClone();
        moved["spec"]!["privilegedPlugins"]!.AsArray().RemoveAt(0);
        Decide(moved, old).Causes.ShouldBeEmpty();
    }

    private static AdmissionDecision Decide(JsonNode ned, JsonNode? old = null) =>
        NedValidation.Decide(Patched.Request(ned, old is null ? "CREATE" : "UPDATE", old));

    private static JsonNode With(string where, string value)
    {
        var steps = where.Split('|');
        var root = JsonNode.Parse(Valid)!;
        var parent = root;
        foreach (var step in steps[..^1])
            parent = int.TryParse(step, out var index) ? parent[index]! : parent[step]!;
        parent[steps[^1]] = JsonNode.Parse(value);
        return root;
    }
}
