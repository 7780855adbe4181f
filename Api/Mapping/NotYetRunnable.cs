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
        if (spec.Logging?.Backend == LoggingBackends.Otlp)
            paths.Add("spec.logging.backend");
        if (spec.Logging?.Level is not null)
            paths.Add("spec.logging.level");
        for (var i = 0; i < (spec.PrivilegedPlugins?.Count ?? 0); i++)
        {
            // What the others are for is done around them: traffic through the one, logs to the other.
            if (spec.PrivilegedPlugins![i]?.Kind is not (null or PrivilegedKinds.Telemetry))
                paths.Add($"spec.privilegedPlugins[{i}].kind");
        }

        return paths;
    }
}
