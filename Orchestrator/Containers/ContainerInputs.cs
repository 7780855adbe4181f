using System.Text;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Logs;
using Enclaves.Orchestrator.Secrets;
using Enclaves.Orchestrator.Volumes;

namespace Enclaves.Orchestrator.Containers;

/// <summary>What a container needs from outside its spec: values of Secrets, and volumes.</summary>
/// <param name="container">Its spec.</param>
/// <param name="volumes">The volumes of the enclave.</param>
/// <param name="secrets">The values that the host handed over.</param>
/// <param name="logsFolder">Where the logs are that a logging plugin is given.</param>
internal sealed class ContainerInputs(ManifestContainer container, VolumeFolders volumes, SecretStore secrets, string logsFolder)
{
    private const string Missing = "CreateContainerConfigError";

    // Without a BOM, and loud where a value is no text.
    private static readonly UTF8Encoding Text = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly IReadOnlyList<ManifestSecretFiles> _secretVolumes = volumes.SecretsOf(container);

    /// <summary>Completes when the host hands over other values. Take it before <see cref="Fingerprint"/>.</summary>
    public Task Changed => secrets.Changed;

    /// <summary>Whether a change of values can matter at all.</summary>
    public bool UseSecrets => _secretVolumes.Count > 0 || container.Env.Any(variable => variable.Secret is not null);

    /// <summary>Stands for all values that the container uses.</summary>
    public string Fingerprint()
    {
        using var fingerprint = new SecretFingerprint();
        foreach (var secret in container.Env.Select(variable => variable.Secret).OfType<ManifestSecretKey>())
            fingerprint.Add(secret.Name, secret.Key, secrets.Find(secret.Name, secret.Key));
        foreach (var secret in _secretVolumes)
        {
            if (secret.Items is not { } items)
                fingerprint.AddAll(secret.Name, secrets.Find(secret.Name));
            foreach (var item in secret.Items ?? [])
                fingerprint.Add(secret.Name, item.Key, secrets.Find(secret.Name, item.Key));
        }

        return fingerprint.End();
    }

    /// <summary>Everything for a start, as it is now.</summary>
    /// <exception cref="ContainerRuntimeException">CreateContainerConfigError: something is not there; names it, never a value.</exception>
    public ContainerStart Take()
    {
        try
        {
            return new ContainerStart(container, [.. container.Env.Select(Variable).OfType<KeyValuePair<string, string>>()], [.. volumes.MountsOf(container, secrets), .. LogMounts()]);
        }
        catch (IOException e)
        {
            throw new ContainerRuntimeException(Missing, $"container {container.Name}: {e.Message}", e);
        }
    }

    private IEnumerable<ContainerMount> LogMounts() =>
        container.LogsAccess is null ? [] : [new ContainerMount(logsFolder, LogFiles.Target, ReadOnly: true)];

    private KeyValuePair<string, string>? Variable(ManifestEnv variable)
    {
        if (variable.Secret is not { } secret)
            return new(variable.Name, variable.Value!);
        if (secrets.Find(secret.Name, secret.Key) is not { } value)
        {
            return secret.Optional ? null : throw new ContainerRuntimeException(
                Missing, $"variable {variable.Name}: there is no key {secret.Key} in a Secret {secret.Name}; create it, which is noticed by itself");
        }

        return new(variable.Name, TextOf(value, variable.Name, secret));
    }

    private static string TextOf(byte[] value, string variable, ManifestSecretKey secret)
    {
        try
        {
            var text = Text.GetString(value);
            if (!text.Contains('\0'))
                return text;
        }
        catch (DecoderFallbackException)
        {
            // Said below: the exception quotes what it met.
        }

        throw new ContainerRuntimeException(
            Missing, $"variable {variable}: key {secret.Key} of Secret {secret.Name} is not text without NUL, which a variable must be; mount the Secret as a volume");
    }
}
