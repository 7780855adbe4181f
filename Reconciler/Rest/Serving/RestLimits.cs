using System.Threading.RateLimiting;
using Enclaves.Reconciler.Rest.Auth;

namespace Enclaves.Reconciler.Rest.Serving;

/// <summary>What a route holds on to for as long as its reader likes.</summary>
internal enum LongRequest
{
    /// <summary>A stream of changes.</summary>
    Stream,

    /// <summary>A pod's log, which the API server and a kubelet send.</summary>
    Log,
}

/// <summary>
/// How much is done at a time, of one caller and of all together: nobody's flood may take the memory of the process, the API server, or everybody else's
/// turn. It is asked when a caller is recognised; until then, <see cref="TokenReviews"/> bounds what is done for one address.
/// </summary>
internal static class RestLimits
{
    /// <summary>Streams of one caller.</summary>
    public const int StreamsOfOne = 250;

    /// <summary>Logs that one caller follows.</summary>
    public const int LogsOfOne = 16;

    private const int Calls = 128;
    private const int WaitingCalls = 512;
    private const int CallsOfOne = 64;
    private const int WaitingCallsOfOne = 256;
    private const int Streams = 1000;
    private const int Logs = 64;

    /// <summary>Adds the limits.</summary>
    public static IServiceCollection AddRestLimits(this IServiceCollection services) => services.AddRateLimiter(limiter =>
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<HttpContext, string>(context => IsLong(context) switch
            {
                LongRequest.Stream => Partition($"streams of {Client(context)}", StreamsOfOne, 0),
                LongRequest.Log => Partition($"logs of {Client(context)}", LogsOfOne, 0),
                _ => Partition($"calls of {Client(context)}", CallsOfOne, WaitingCallsOfOne),
            }),
            PartitionedRateLimiter.Create<HttpContext, string>(context => IsLong(context) switch
            {
                LongRequest.Stream => Partition("streams", Streams, 0),
                LongRequest.Log => Partition("logs", Logs, 0),
                _ => Partition("calls", Calls, WaitingCalls),
            }));
        limiter.OnRejected = async (rejected, _) => await Problems.TooMany(rejected.HttpContext).ExecuteAsync(rejected.HttpContext);
    });

    private static LongRequest? IsLong(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<LongMark>()?.What;

    private static RateLimitPartition<string> Partition(string name, int permits, int waiting) => RateLimitPartition.GetConcurrencyLimiter(name,
        _ => new ConcurrencyLimiterOptions { PermitLimit = permits, QueueLimit = waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });

    // A user is one, however many tokens it has; whoever is nobody is one with all others at its address.
    private static string Client(HttpContext context) =>
        context.Features.Get<Recognised>() is { } known ? $"user {known.Caller.Name}" : $"address {context.Connection.RemoteIpAddress}";

    /// <summary>Marks a route whose answer lasts.</summary>
    public static TBuilder IsLong<TBuilder>(this TBuilder route, LongRequest what)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new LongMark(what));

    private sealed record LongMark(LongRequest What);
}
