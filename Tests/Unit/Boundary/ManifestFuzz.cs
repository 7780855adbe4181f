using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers.Cri;
using Enclaves.Orchestrator.Containers.Cri.V1;
using Enclaves.Orchestrator.Egress;
using Enclaves.Orchestrator.Health;
using Enclaves.Tests.Unit.Webhook.Fuzz;

namespace Enclaves.Tests.Unit.Boundary;

/// <summary>
/// Mutated manifests through the enclave's reader and through what plans with them. What may come of one is the reader's or the plan's own
/// exception; what is taken must be canonical, and every later step must be able to live with it.
/// </summary>
internal static class ManifestFuzz
{
    private static readonly IPAddress FirstEgress = IPAddress.Parse("127.64.0.1");
    private static readonly JsonDocument Start = JsonDocument.Parse(ManifestCodec.Write(Everything()));

    /// <summary>Runs one case, which is the same whenever and wherever it is run.</summary>
    /// <returns>What came of it; a failure says how to run it again.</returns>
    public static (string Outcome, string? Failure) Run(int seed, int number)
    {
        var random = new Random(FuzzSeed.Of(seed, number));
        var body = ReviewMutator.Mutate(Start.RootElement, random);
        try
        {
            // In canonical form most of the time, or the last check of the reader would keep all of them from what comes after it.
            return (Outcome(random.Next(8) == 0 ? body : Canonical(body)), null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ("failed", $"seed {seed}, manifest case {number}: {e}\nmanifest: {Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 4000)))}");
        }
    }

    private static string Outcome(byte[] body)
    {
        EnclaveManifest manifest;
        try
        {
            manifest = ManifestCodec.Read(body);
        }
        catch (ManifestException)
        {
            return "refused";
        }

        if (!ManifestCodec.Write(manifest).AsSpan().SequenceEqual(body))
            throw new InvalidDataException("what was read is not what would be written");
        _ = SecretReferences.Of(manifest);
        foreach (var container in manifest.Containers)
        {
            _ = Confinement.Resources(container.Resources);
            _ = Confinement.Security(container.Security, null, new NamespaceOption());
            foreach (var probe in new[] { container.StartupProbe, container.LivenessProbe, container.ReadinessProbe }.OfType<ManifestProbe>())
            {
                _ = ProbePlan.Of(probe);
                _ = probe.HttpGet is { } http ? new HttpAsk(http) : null;
            }
        }

        try
        {
            _ = EgressPlan.Of(manifest, FirstEgress);
            return "taken";
        }
        catch (EgressPlanException)
        {
            return "taken, without a plan";
        }
    }

    // What is no JSON, or has no canonical form, stays as it is.
    private static byte[] Canonical(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var output = new ArrayBufferWriter<byte>();
            CanonicalJson.Write(document.RootElement, output);
            return output.WrittenSpan.ToArray();
        }
        catch (Exception e) when (e is JsonException or ManifestException or InvalidOperationException)
        {
            return body;
        }
    }

    /// <summary>A manifest that has everything which a manifest can have.</summary>
    public static EnclaveManifest Everything()
    {
        var probe = new ManifestProbe { TcpPort = 80, InitialDelaySeconds = 0, PeriodSeconds = 10, TimeoutSeconds = 1, SuccessThreshold = 1, FailureThreshold = 3 };
        var app = new ManifestContainer
        {
            Name = "app",
            Role = ContainerRole.User,
            Image = "registry.example:5000/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            Command = ["/app"],
            Args = ["-v", "é€😀"],
            Env = [new() { Name = "A", Value = "1" }, new() { Name = "B", Secret = new() { Name = "db", Key = "password", Optional = true } }],
            Ports = [new() { ContainerPort = 8080, IngressPort = 20000 }, new() { ContainerPort = 9000 }],
            Outbound = [new() { Host = "x.example", Port = 443 }, new() { Host = "192.0.2.1", Port = 5432 }],
            RestartPolicy = "OnFailure",
            Mounts = [new() { Volume = "config", Path = "/etc/app", SubPath = "a", ReadOnly = true }, new() { Volume = "scratch", Path = "/tmp", ReadOnly = false }],
            Resources = new() { CpuMillis = 500, MemoryBytes = 1 << 26 },
            Security = new() { RunAsUser = 1, RunAsGroup = 2, ReadOnlyRootFilesystem = true, AddCapabilities = ["CHOWN"], DropCapabilities = ["ALL"] },
            StartupProbe = probe,
            LivenessProbe = probe with { TcpPort = null, Exec = ["/bin/true"] },
            ReadinessProbe = probe with { TcpPort = null, HttpGet = new() { Scheme = "HTTPS", Port = 80, Path = "/a?b=c", Headers = [new() { Name = "X-A", Value = "b" }] } },
        };
        return new EnclaveManifest
        {
            Schema = EnclaveManifest.CurrentSchema,
            Name = "demo",
            Namespace = "team",
            Containers =
            [
                app,
                app with { Name = "gate", Role = ContainerRole.Auth, ProxyPort = 9443, Ports = [], Env = [], Mounts = null },
                app with { Name = "shipper", Role = ContainerRole.Logging, LogsAccess = ["app", "gate"], Ports = [], Env = [], Mounts = null, Outbound = [new() { Host = "peer.example", Port = 7000, Type = "enclave" }] },
            ],
            Registries = ["cdn.example:443", "[2001:db8::1]:5000"],
            Volumes =
            [
                new() { Name = "config", Files = [new() { Path = "a/b", Mode = 420, Text = "x", Digest = Convert.ToHexStringLower(SHA384.HashData("x"u8)) }] },
                new() { Name = "keys", Secret = new() { Name = "tls", Mode = 256, Optional = true, Items = [new() { Key = "k", Path = "k", Mode = 256 }] } },
                new() { Name = "scratch", EmptyDir = new() { SizeBytes = 1 << 20 } },
            ],
        };
    }
}
