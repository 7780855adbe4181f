using System.Security.Cryptography;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Options;
using Google.Protobuf;
using Grpc.Core;

namespace Enclaves.EnclaveHost.Session;

/// <summary>
/// Hands the mounted Secrets over, at the beginning of a session and whenever they change: a kubelet replaces the files of a Secret that was
/// changed within about a minute.
/// </summary>
internal sealed partial class SecretSync(EnclaveOptions options, LoadedManifest manifest, TimeProvider time, ILogger<SecretSync> logger)
{
    // A look reads a few small files.
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly ILogger<SecretSync> _logger = logger;
    private byte[] _sent = [];

    /// <summary>Sends what is there.</summary>
    /// <exception cref="InvalidDataException">A file is not what it should be; names it, not its content.</exception>
    /// <exception cref="RpcException">The enclave does not take it, or does not answer.</exception>
    public async Task SendAsync(EnclaveSession session, CancellationToken cancellation)
    {
        var request = Read();
        await session.PutSecretsAsync(request, cancellation);
        _sent = Fingerprint(request);
    }

    /// <summary>Sends what changes, until the session breaks. What cannot be read is said once and leaves the enclave with what it has.</summary>
    public async Task FollowAsync(EnclaveSession session, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Period, time);
        var said = "";
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            try
            {
                var request = Read();
                if (Fingerprint(request).AsSpan().SequenceEqual(_sent))
                    continue;
                await session.PutSecretsAsync(request, cancellation);
                _sent = Fingerprint(request);
                said = "";
                LogRotated();
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                if (said != e.Message)
                    LogNotRead(e.Message);
                said = e.Message;
            }
        }
    }

    private PutSecretsRequest Read() => new()
    {
        RegistryCredentials = { RegistryCredentials.Read(options.SecretsFolder) },
        Secrets = { MountedSecrets.Read(options.SecretsFolder, manifest.Content) },
    };

    // The order of a map's entries on the wire is not fixed; that of one process's equal maps is not either.
    private static byte[] Fingerprint(PutSecretsRequest request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var credential in request.RegistryCredentials)
            hash.AppendData(credential.ToByteArray());
        foreach (var secret in request.Secrets)
        {
            hash.AppendData(new SecretValues { Name = secret.Name }.ToByteArray());
            foreach (var (key, value) in secret.Data.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                hash.AppendData(new SecretValues { Name = secret.Name, Data = { [key] = value } }.ToByteArray());
        }

        return hash.GetHashAndReset();
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "mounted Secrets have changed and are handed over; what uses them is started again")]
    private partial void LogRotated();

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "changed Secrets cannot be handed over, the enclave keeps those it has: {Problem}")]
    private partial void LogNotRead(string problem);
}
