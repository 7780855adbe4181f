using Enclaves.Channel;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>Ends an enclave by any means, and makes sure.</summary>
internal static class EnclaveEnd
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan KillTime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Tells nitro-cli to end it until it is no longer listed. When the time is over its process is killed: the kernel ends the enclave with it.
    /// </summary>
    /// <exception cref="NitroException">It is there still.</exception>
    public static async Task BringAboutAsync(
        NitroCli cli, string id, EnclaveProcess? process, TimeSpan limit, TimeProvider time, CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        over.CancelAfter(limit);
        var problem = await TryInOrderAsync(cli, id, time, cancellation, over.Token);
        if (problem is null)
            return;
        process?.Kill();
        var killed = time.GetTimestamp();
        while (process?.IsAlive == true && time.GetElapsedTime(killed) < KillTime)
            await Task.Delay(FirstWait, time, cancellation);
        if (process?.IsAlive != false)
            throw new NitroException($"enclave {id} cannot be ended: {problem}", inner: null);
    }

    // Null when it is gone, else what was wrong last.
    private static async Task<string?> TryInOrderAsync(NitroCli cli, string id, TimeProvider time, CancellationToken cancellation, CancellationToken over)
    {
        var problem = "there was no time to";
        var wait = FirstWait;
        try
        {
            while (true)
            {
                try
                {
                    await cli.TerminateAsync(id, over);
                    // Believed when it is seen.
                    if (await IsGoneAsync(cli, id, over))
                        return null;
                    problem = "nitro-cli says that it has terminated it, and lists it still";
                }
                catch (NitroException e)
                {
                    problem = e.Message;
                    // It may have ended by itself in the meantime, which nitro-cli takes for an error (E11).
                    if (await IsGoneAsync(cli, id, over))
                        return null;
                }

                await Task.Delay(wait, time, over);
                wait = wait.Doubled(LongestWait);
            }
        }
        catch (NitroException e)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return problem;
        }
    }

    private static async Task<bool> IsGoneAsync(NitroCli cli, string id, CancellationToken cancellation) =>
        (await cli.DescribeAsync(cancellation)).All(enclave => enclave.Id != id);
}
