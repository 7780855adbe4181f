using System.Runtime.InteropServices;
using System.Text.Json;

namespace Enclaves.Webhook.Review;

/// <summary>A body that is not an AdmissionReview which this program understands; the message says why.</summary>
internal sealed class MalformedReviewException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Reads an admission.k8s.io/v1 AdmissionReview.</summary>
internal static class AdmissionReviewReader
{
    public const string ApiVersion = "admission.k8s.io/v1";
    public const string Kind = "AdmissionReview";
    private const int MaxUidLength = 256;

    /// <summary>Duplicate names would let this program and the API server read different objects out of the same bytes.</summary>
    public static JsonDocumentOptions DocumentOptions { get; } = new() { AllowDuplicateProperties = false, MaxDepth = 256 };

    private const string NotText = "the body holds a string that is not Unicode text";

    /// <summary>Parses a body.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    /// <exception cref="MalformedReviewException">It is JSON, but holds what is not text.</exception>
    public static async Task<JsonDocument> Parse(Stream body, CancellationToken cancellation)
    {
        try
        {
            return await JsonDocument.ParseAsync(body, DocumentOptions, cancellation);
        }
        catch (InvalidOperationException e) when (e is not ObjectDisposedException)
        {
            // What the parser throws of names that are not text, as it looks for duplicates.
            throw new MalformedReviewException(NotText, e);
        }
    }

    /// <exception cref="MalformedReviewException">Something is missing, of another type, or of another version.</exception>
    public static AdmissionRequest Read(JsonElement review)
    {
        if (!UnicodeText.Holds(JsonMarshal.GetRawUtf8Value(review)))
            throw new MalformedReviewException(NotText);
        if (review.ValueKind != JsonValueKind.Object)
            throw new MalformedReviewException($"the body is a JSON {review.ValueKind}, an AdmissionReview is required");
        var apiVersion = Text(review, "apiVersion");
        var kind = Text(review, "kind");
        if (apiVersion != ApiVersion || kind != Kind)
            throw new MalformedReviewException($"the body is '{Cut(apiVersion)} {Cut(kind)}', understood is {ApiVersion} {Kind}");
        if (!review.TryGetProperty("request", out var request) || request.ValueKind != JsonValueKind.Object)
            throw new MalformedReviewException("request: is missing or not an object");
        var uid = Text(request, "uid");
        if (uid.Length is 0 or > MaxUidLength)
            throw new MalformedReviewException($"request.uid: has {uid.Length} characters, allowed are 1 to {MaxUidLength}");
        return new AdmissionRequest
        {
            Uid = uid,
            Operation = Operation(request),
            Kind = ReadKind(request),
            SubResource = Text(request, "subResource"),
            Name = Text(request, "name"),
            Namespace = Text(request, "namespace"),
            User = request.At("userInfo", "username").Text() ?? "",
            IsDryRun = request.At("dryRun") is { ValueKind: JsonValueKind.True },
            Object = Object(request, "object"),
            OldObject = Object(request, "oldObject"),
        };
    }

    private static string Operation(JsonElement request)
    {
        var operation = Text(request, "operation");
        return operation is "CREATE" or "UPDATE" or "DELETE" or "CONNECT"
            ? operation
            : throw new MalformedReviewException($"request.operation: '{Cut(operation)}', understood are CREATE, UPDATE, DELETE and CONNECT");
    }

    private static GroupVersionKind ReadKind(JsonElement request) =>
        request.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.Object
            ? new GroupVersionKind(Text(kind, "group"), Text(kind, "version"), Text(kind, "kind"))
            : throw new MalformedReviewException("request.kind: is missing or not an object");

    private static JsonElement? Object(JsonElement request, string name)
    {
        if (!request.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        return value.ValueKind == JsonValueKind.Object
            ? value
            : throw new MalformedReviewException($"request.{name}: is a JSON {value.ValueKind}, an object is required");
    }

    private static string Text(JsonElement parent, string name)
    {
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return "";
        return value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new MalformedReviewException($"{name}: is a JSON {value.ValueKind}, a string is required");
    }

    private static string Cut(string text) => text.Length <= 80 ? text : text[..80] + "…";
}
