using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>
/// Asks the API server whose a token is. An answer holds for a few seconds: so long a token that was revoked is still taken. Tokens are known
/// by their hash only.
/// </summary>
internal sealed class TokenReviews(ApiServer server, TimeProvider time) : IDisposable
{
    /// <summary>Longest token, in bytes; a service account's has about a thousand.</summary>
    public const int MostBytes = 16 * 1024;

    private const int Most = 4096;
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RefusedLife = TimeSpan.FromSeconds(5);

    private readonly ReviewCache<string, Caller?> _cache = new(time, Most);

    /// <summary>Whose token it is, or null when it is nobody's (any more).</summary>
    /// <param name="token">The token.</param>
    /// <param name="from">Where it comes from: whoever sends one unknown token after the other is one asker.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ApiException">The API server refuses to tell.</exception>
    /// <exception cref="TimeoutException">It does not answer.</exception>
    /// <exception cref="TooManyQuestionsException">Too many unknown tokens come from there.</exception>
    public async Task<Caller?> WhoAsync(string token, IPAddress? from, CancellationToken cancellation)
    {
        if (token.Length is 0 or > MostBytes)
            return null;
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        // Tokens that were good do not wait behind those that may be anything, though both come over one proxy.
        var asker = _cache.Last(hash)?.Name ?? from?.ToString() ?? "";
        return await _cache.GetAsync(hash, asker, async limit =>
        {
            var caller = Caller.Of(await server.ReviewAsync(ResourceKind.TokenReview, new JsonObject { ["token"] = token }, limit));
            return new Judgement<Caller?>(caller, caller is null ? RefusedLife : Life);
        }, cancellation);
    }

    /// <inheritdoc />
    public void Dispose() => _cache.Dispose();
}
