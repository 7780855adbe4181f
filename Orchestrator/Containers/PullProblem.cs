using System.Text.RegularExpressions;
using Enclaves.Channel.Egress;

namespace Enclaves.Orchestrator.Containers;

/// <summary>
/// What keeps an image from being pulled, with the next step. A registry may send who pulls to other hosts, for a token or for the layers;
/// where the manifest does not list one, containerd only says that there is no such host.
/// </summary>
internal static partial class PullProblem
{
    /// <summary>The runtime's words, and the host to add where they name one that is not allowed.</summary>
    /// <param name="detail">What the runtime says; the URLs it asked are in it.</param>
    /// <param name="registries">What the manifest lets pulls reach.</param>
    public static string Explain(string detail, IReadOnlyList<string> registries)
    {
        var allowed = new HashSet<RegistryAddress>();
        foreach (var registry in registries)
        {
            if (RegistryAddress.TryParse(registry, out var address))
                allowed.Add(address);
        }

        foreach (Match match in Url().Matches(detail).Reverse())
        {
            if (RegistryAddress.TryParse(match.Groups[1].Value, out var asked) && !allowed.Contains(asked))
                return $"{detail}; the registry sends pulls to {match.Groups[1].Value}, which they may not reach: add it to spec.enclave.registries";
        }

        return detail;
    }

    // Host and port of a URL; without a port it is that of HTTPS, as for registries.
    [GeneratedRegex("https?://([^/\\s\"?]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Url();
}
