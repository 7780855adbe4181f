using System.Buffers;
using System.Text.Json;

namespace Enclaves.Webhook.Review;

/// <summary>Writes answers: the AdmissionReview of a decision, and the Status of a request that could not be decided on.</summary>
internal static class AdmissionReviewWriter
{
    // What clients show of a warning; the API server cuts longer ones, and all of them together at 4096.
    private const int MaxWarningLength = 256;
    private const int MaxWarnings = 15;
    private const int MaxCauses = 100;
    private const int Invalid = 422;

    // More than the answer has without patch and denial: it then fits into the first buffer.
    private const int Envelope = 512;

    public static ReadOnlyMemory<byte> Decision(AdmissionRequest request, AdmissionDecision decision)
    {
        // A patch takes four bytes for three.
        var buffer = new ArrayBufferWriter<byte>(Envelope + (decision.Patch?.Length ?? 0) * 4 / 3);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("apiVersion", AdmissionReviewReader.ApiVersion);
        json.WriteString("kind", AdmissionReviewReader.Kind);
        json.WriteStartObject("response");
        json.WriteString("uid", request.Uid);
        json.WriteBoolean("allowed", decision.Allowed);
        if (!decision.Allowed)
            WriteDenial(json, request, decision.Causes);
        if (decision is { Allowed: true, Patch: { } patch })
        {
            json.WriteString("patchType", "JSONPatch");
            json.WriteBase64String("patch", patch);
        }

        WriteWarnings(json, decision.Warnings);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>A Status: what the API server shows of an answer that is not a decision.</summary>
    public static ReadOnlyMemory<byte> Failure(int code, string message)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("apiVersion", "v1");
        json.WriteString("kind", "Status");
        json.WriteString("status", "Failure");
        json.WriteString("message", message);
        json.WriteString("reason", code switch { 500 => "InternalError", 413 => "RequestEntityTooLarge", 415 => "UnsupportedMediaType", _ => "BadRequest" });
        json.WriteNumber("code", code);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteDenial(Utf8JsonWriter json, AdmissionRequest request, IReadOnlyList<AdmissionCause> causes)
    {
        json.WriteStartObject("status");
        json.WriteString("status", "Failure");
        json.WriteString("reason", "Invalid");
        json.WriteNumber("code", Invalid);
        json.WriteString("message", Message(causes));
        json.WriteStartObject("details");
        json.WriteString("name", request.Name);
        json.WriteString("group", request.Kind.Group);
        json.WriteString("kind", request.Kind.Kind);
        json.WriteStartArray("causes");
        foreach (var cause in causes.Take(MaxCauses))
        {
            json.WriteStartObject();
            json.WriteString("reason", "FieldValueInvalid");
            json.WriteString("message", cause.Message);
            json.WriteString("field", cause.Field);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Message(IReadOnlyList<AdmissionCause> causes)
    {
        var message = string.Join("; ", causes.Take(MaxCauses));
        return causes.Count <= MaxCauses ? message : $"{message}; and {causes.Count - MaxCauses} more";
    }

    private static void WriteWarnings(Utf8JsonWriter json, IReadOnlyList<string> warnings)
    {
        if (warnings.Count == 0)
            return;
        json.WriteStartArray("warnings");
        foreach (var warning in warnings.Take(MaxWarnings))
            json.WriteStringValue(warning.Length <= MaxWarningLength ? warning : warning[..(MaxWarningLength - 1)] + "…");
        if (warnings.Count > MaxWarnings)
            json.WriteStringValue($"and {warnings.Count - MaxWarnings} more warnings");
        json.WriteEndArray();
    }
}
