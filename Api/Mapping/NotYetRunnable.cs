namespace Enclaves.Api;

/// <summary>
/// Fields of the API that this version's enclaves do not have yet. A NED that uses them is valid and is told so; it is not run without them,
/// since what a spec asks for must never be left out in silence.
/// </summary>
public static class NotYetRunnable
{
    /// <summary>Paths of the fields that a spec uses, in its order; empty when all of it can be run.</summary>
    public static IReadOnlyList<string> Of(NitroEnclaveDeploymentSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var paths = new List<string>();
        if (spec.Enclave?.Image is not null)
            paths.Add("spec.enclave.image");
        if (spec.PrivilegedPlugins is { Count: > 0 })
            paths.Add("spec.privilegedPlugins");
        if (spec.Logging?.Backend == LoggingBackends.Otlp)
            paths.Add("spec.logging.backend");
        if (spec.Logging?.Level is not null)
            paths.Add("spec.logging.level");
        for (var i = 0; i < (spec.UserPlugins?.Count ?? 0); i++)
        {
            foreach (var field in Of(spec.UserPlugins![i]))
                paths.Add($"spec.userPlugins[{i}].{field}");
        }

        return paths;
    }

    private static IEnumerable<string> Of(UserPlugin? plugin)
    {
        if (plugin?.Resources is not null)
            yield return "resources";
        if (plugin?.SecurityContext is not null)
            yield return "securityContext";
        for (var i = 0; i < (plugin?.OutboundConnections?.Count ?? 0); i++)
        {
            if (plugin!.OutboundConnections![i]?.Type is not (null or OutboundTypes.Default))
                yield return $"outboundConnections[{i}].type";
        }
    }
}
