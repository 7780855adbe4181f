using System.Diagnostics;
using Xunit;

namespace Enclaves.Tests.EndToEnd;

/// <summary>Waits for a condition with a deadline, and says what it saw last when it does not come.</summary>
internal static class Eventually
{
    /// <summary>Repeats <paramref name="probe"/> until it returns a value.</summary>
    public static async Task<T> Get<T>(string what, TimeSpan limit, Func<Task<T?>> probe, Func<Task<string>>? explain = null)
        where T : class
    {
        var clock = Stopwatch.StartNew();
        Exception? last = null;
        while (clock.Elapsed < limit)
        {
            try
            {
                if (await probe() is { } value)
                    return value;
                last = null;
            }
            catch (Exception e) when (e is HttpRequestException or InvalidOperationException or OperationCanceledException)
            {
                last = e;
            }

            await Task.Delay(250, TestContext.Current.CancellationToken);
        }

        var state = explain is null ? "" : await explain();
        throw new TimeoutException($"{what}: not within {limit.TotalSeconds:0} s. {last?.Message}\n{state}");
    }

    /// <summary>Repeats <paramref name="probe"/> until it holds.</summary>
    public static async Task Holds(string what, TimeSpan limit, Func<Task<bool>> probe, Func<Task<string>>? explain = null) =>
        await Get<object>(what, limit, async () => await probe() ? what : null, explain);
}
