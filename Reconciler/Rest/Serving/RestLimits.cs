using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;

namespace Enclaves.Reconciler.Rest.Serving;

/// <summary>What a route holds on to for as long as its reader likes.</summary>
internal enum LongRequest
{
    /// <summary>A stream of changes.</summary>
    Stream,

    /// <summary>A pod's log, which the API server and a kubelet send.</summary>
    Log,
}

/// <summary>How much is done at a time: nobody's flood may take the memory of the process, the API server, or everybody else's turn.</summary>
internal static class RestLimits
{
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
            PartitionedRateLimiter.Create<HttpContext, string>(context => IsLong(context) is null
                ? Partition(Client(context), CallsOfOne, WaitingCallsOfOne)
                : RateLimitPartition.GetNoLimiter("")),
            PartitionedRateLimiter.Create<HttpContext, string>(context => IsLong(context) switch
            {
                LongRequest.Stream => Partition("streams", Streams, 0),
                LongRequest.Log => Partition("logs", Logs, 0),
                _ => Partition("calls", Calls, WaitingCalls),
            }));
        limiter.OnRejected = async (rejected, _) => await Problems.TooMany(rejected.HttpContext,
            "More is asked at once than is answered; ask again after the seconds in Retry-After, and for fewer things at a time.").ExecuteAsync(rejected.HttpContext);
    });

    private static LongRequest? IsLong(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<LongMark>()?.What;

    private static RateLimitPartition<string> Partition(string name, int permits, int waiting) => RateLimitPartition.GetConcurrencyLimiter(name,
        _ => new ConcurrencyLimiterOptions { PermitLimit = permits, QueueLimit = waiting, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });

    // Whoever sends the same token is one, whatever it is worth; without a token, whoever comes from one address.
    private static string Client(HttpContext context)
    {
        var sent = context.Request.Headers.Authorization.ToString() is { Length: > 0 } header ? header : context.Request.Headers.Cookie.ToString();
        return sent.Length > 0 ? Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(sent))) : context.Connection.RemoteIpAddress?.ToString() ?? "";
    }

    /// <summary>Marks a route whose answer lasts.</summary>
    public static TBuilder IsLong<TBuilder>(this TBuilder route, LongRequest what)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new LongMark(what));

    private sealed record LongMark(LongRequest What);
}
