namespace Enclaves.Tests.DevicePlugin;

/// <summary>What the plugin advertises, and where.</summary>
/// <param name="Folder">The kubelet's device plugin folder, which holds its socket and gets ours.</param>
/// <param name="Resource">The resource's name as pods ask for it.</param>
/// <param name="Count">How many devices of it this node pretends to have.</param>
internal sealed record PluginSettings(string Folder, string Resource, int Count)
{
    private const int MostDevices = 1024;

    /// <summary>What the server is told to bind, which puts <c>:0</c>, its port, behind it.</summary>
    public string SocketPath => Path.Combine(Folder, Resource.Replace('/', '_') + ".sock");

    /// <summary>The file that is there then; one for each resource.</summary>
    public string EndpointPath => SocketPath + ":0";

    /// <summary>Its name, which the kubelet is told.</summary>
    public string Endpoint => Path.GetFileName(EndpointPath);

    public string KubeletSocket => Path.Combine(Folder, "kubelet.sock");

    /// <exception cref="ArgumentException">A setting is missing or out of its range; the message says which.</exception>
    public static PluginSettings From(IConfiguration configuration)
    {
        var folder = configuration["folder"] ?? "/var/lib/kubelet/device-plugins";
        var resource = configuration["resource"] ?? "aws.ec2.nitro/nitro_enclaves";
        if (!int.TryParse(configuration["count"] ?? "4", out var count) || count is < 1 or > MostDevices)
            throw new ArgumentException($"--count must be a number from 1 to {MostDevices}");
        if (!resource.Contains('/', StringComparison.Ordinal))
            throw new ArgumentException($"--resource '{resource}' must have the form domain/name");
        return new PluginSettings(folder, resource, count);
    }
}
