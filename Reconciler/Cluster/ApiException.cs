using System.Net;
using System.Text.Json;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Cluster;

/// <summary>The API server refused a call: its Status, read once.</summary>
internal sealed class ApiException : Exception, IRetryLater
{
    // A server that asks for more than this is asked again earlier: nobody would look for the reason that long.
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(1);

    private ApiException(string what, HttpStatusCode code, string reason, string message, TimeSpan? retryAfter = null)
        : base($"{what}: {message} ({(int)code} {reason})")
    {
        Code = code;
        Reason = reason;
        RetryAfter = retryAfter > LongestRetryAfter ? LongestRetryAfter : retryAfter;
    }

    /// <summary>HTTP status code.</summary>
    public HttpStatusCode Code { get; }

    /// <summary>Machine-readable reason of the Status, such as Conflict or Invalid.</summary>
    public string Reason { get; }

    /// <inheritdoc />
    public TimeSpan? RetryAfter { get; }

    /// <summary>Whether the same call may succeed later without anyone changing anything.</summary>
    public bool IsTransient =>
        Code is HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout
        || (int)Code >= 500;

    /// <summary>Whether nothing can be created because the namespace is on its way out (the API server's admission plugin NamespaceLifecycle).</summary>
    public bool IsNamespaceTerminating =>
        Code == HttpStatusCode.Forbidden && Message.Contains("because it is being terminated", StringComparison.Ordinal);

    /// <summary>Reads a reply that is not a success.</summary>
    public static async Task<ApiException> FromAsync(string what, HttpResponseMessage response, CancellationToken cancellation)
    {
        // The body is a Status of a few hundred bytes, or a proxy's page; neither may hold up the report of the error.
        var body = await response.Content.ReadAsStringAsync(cancellation);
        var (reason, message) = ReadStatus(body);
        return new ApiException(what, response.StatusCode, reason ?? response.StatusCode.ToString(),
            message ?? $"the API server answered {(int)response.StatusCode}", response.Headers.RetryAfter?.Delta);
    }

    /// <summary>Reads the Status that a watch carries in an ERROR event.</summary>
    public static ApiException FromStatus(string what, JsonElement status)
    {
        var code = status.TryGetProperty("code", out var number) && number.TryGetInt32(out var value) ? value : 500;
        var (reason, message) = ReadStatus(status.GetRawText());
        return new ApiException(what, (HttpStatusCode)code, reason ?? "Unknown", message ?? "the watch reported an error");
    }

    private static (string? Reason, string? Message) ReadStatus(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object ? (NotEmpty(root.Text("reason")), NotEmpty(root.Text("message"))) : (null, null);
        }
        catch (JsonException)
        {
            var line = body.Trim();
            return (null, line.Length is > 0 and < 500 ? line : null);
        }
    }

    private static string? NotEmpty(string? text) => text is { Length: > 0 } ? text : null;
}
