using Enclaves.Channel.Manifest;
using Enclaves.Tests.Enclave.Harness;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

// Each virtual machine wants the processor for itself.
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace Enclaves.Tests.Vm;

/// <summary>EnclaveHost with the qemu driver, the enclave image and one container out of the development registry.</summary>
internal sealed class Machine : IAsyncDisposable
{
    /// <summary>A boot by software emulation on a busy machine, with the pull of an image.</summary>
    public static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(180);

    private static readonly FreePorts Ingress = new(20500, 20799);

    private Machine(HostProcess host, int ingressPort)
    {
        Host = host;
        IngressPort = ingressPort;
    }

    public HostProcess Host { get; }

    public int IngressPort { get; }

    /// <summary>Starts one, or skips the test where there is nothing to start it with.</summary>
    public static Machine Start(string? image = null, params string[] arguments) => Start(image, app => Manifests.One(app, app.Image.Split('/')[0]), [], arguments);

    /// <summary>With a manifest made of the container, and mounted Secrets by SECRET/KEY.</summary>
    public static Machine Start(Func<ManifestContainer, EnclaveManifest> make, params (string Path, string Value)[] secrets) => Start(null, make, secrets, []);

    /// <summary>With all of these.</summary>
    public static Machine Start(string? image, Func<ManifestContainer, EnclaveManifest> make, (string Path, string Value)[] secrets, string[] arguments)
    {
        var eif = EnclaveImage();
        foreach (var program in (string[])["qemu-system-x86_64", "vhost-device-vsock", "setpriv"])
            Assert.SkipUnless(IsOnPath(program), $"{program} is not on the PATH; dev/test vm installs it");
        var ingress = Ingress.Next();
        var marker = Guid.NewGuid().ToString("n");
        var reference = image ?? TestImage();
        var manifest = ManifestCodec.Write(make(Manifests.App(reference, [], containerPort: 8080, ingress, marker)));
        string[] own =
        [
            "--driver", "qemu", "--image", eif, "--memory-mib", "1024", "--cpu-count", "2",
            // The registry is at an address of this machine, which egress would refuse.
            "--allow-destinations", "10.210.0.0/16", "--debug",
        ];
        return new Machine(HostProcess.Start(manifest, marker, secrets, [.. own, .. arguments]), ingress);
    }

    /// <summary>The enclave image, or skips the test where there is none.</summary>
    public static string EnclaveImage()
    {
        var path = Path.Combine(Environment.GetEnvironmentVariable("ENCLAVES_IMAGE_DIR") ?? "", "enclave.eif");
        Assert.SkipUnless(File.Exists(path), "ENCLAVES_IMAGE_DIR does not name a folder with an enclave image; dev/test vm makes one");
        return path;
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private static string TestImage()
    {
        var image = Environment.GetEnvironmentVariable("ENCLAVES_TEST_IMAGE");
        Assert.SkipUnless(image is { Length: > 0 }, "ENCLAVES_TEST_IMAGE does not name an image in the development registry; dev/test vm sets it");
        return image!;
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
