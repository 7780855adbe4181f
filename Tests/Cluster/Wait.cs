using System.Diagnostics;
using k8s.Autorest;
using Xunit;

namespace Enclaves.Tests.Cluster;

/// <summary>Waits for a condition with a deadline, and says what was seen last when it does not come.</summary>
internal static class Wait
{
    /// <summary>Far more than anything takes: it is only ever waited for in full by a test that fails.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(90);

    /// <summary>Repeats a look until it finds something.</summary>
    public static async Task<T> For<T>(string what, Func<Task<T?>> look, TimeSpan? limit = null, Func<string>? explain = null)
        where T : class
    {
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (clock.Elapsed < (limit ?? Usual))
        {
            try
            {
                if (await look() is { } found)
                    return found;
            }
            // A call that ran into the client's own time limit is cancelled; on a busy machine the next one may do better.
            catch (Exception failure) when (failure is HttpOperationException or HttpRequestException or IOException
                || (failure is OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
            {
                last = failure;
            }

            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        var detail = (last as HttpOperationException)?.Response?.Content ?? last?.Message;
        throw new TimeoutException($"not within {limit ?? Usual}: {what}. {detail}\n{explain?.Invoke()}");
    }

    /// <summary>Repeats a look until it holds.</summary>
    public static Task Until(string what, Func<Task<bool>> look, TimeSpan? limit = null, Func<string>? explain = null) =>
        For<object>(what, async () => await look() ? what : null, limit, explain);
}
