using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Certificates;

/// <summary>
/// The state as a Secret. The Webhook mounts tls.crt and tls.key and nothing else of it; under these names cert-manager would put its own,
/// and ca.crt would be the authority there as here.
/// </summary>
internal static class CertificateSecret
{
    /// <summary>Annotation that asks for a new authority before its time, whatever its value; it is taken away when there is one.</summary>
    public const string RotateAnnotation = "k8s.oblv.com/rotate";

    /// <summary>Annotation: until when authorities that sign no more are trusted (RFC 3339). An earlier time set by hand ends that earlier.</summary>
    public const string PreviousUntilAnnotation = "k8s.oblv.com/previous-ca-until";

    /// <summary>Reads a Secret. What cannot be used in it counts as absent.</summary>
    public static CertificateState Read(LiveObject secret, DateTimeOffset now) => new()
    {
        Authority = Pair(secret, "ca", now),
        NextAuthority = Pair(secret, "next-ca", now),
        PreviousAuthorities = TrustedAuthorities.Read(Data(secret, "previous-ca.crt"), now),
        PreviousUntil = Time(secret.TextAt("metadata", "annotations", PreviousUntilAnnotation)),
        Leaf = Pair(secret, "tls", now),
        IsRotationAsked = secret.At("metadata", "annotations", RotateAnnotation) is not null,
    };

    /// <summary>The Secret as it shall be, to replace the one that was read: all that is not ours stays.</summary>
    public static JsonObject Write(LiveObject secret, CertificateState state)
    {
        var body = JsonObject.Create(secret.Json)!;
        var data = new JsonObject();
        void Put(string name, CertifiedKey? pair)
        {
            if (pair is null)
                return;
            data[$"{name}.crt"] = Encode(pair.Certificate);
            data[$"{name}.key"] = Encode(pair.Key);
        }

        Put("ca", state.Authority);
        Put("next-ca", state.NextAuthority);
        Put("tls", state.Leaf);
        if (state.PreviousAuthorities.Count > 0)
            data["previous-ca.crt"] = Encode(string.Concat(state.PreviousAuthorities));
        body["data"] = data;
        var metadata = body["metadata"]!.AsObject();
        if (metadata["annotations"] is not JsonObject annotations)
            metadata["annotations"] = annotations = [];
        annotations.Remove(PreviousUntilAnnotation);
        if (state.PreviousUntil is { } until)
            annotations[PreviousUntilAnnotation] = until.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        if (!state.IsRotationAsked)
            annotations.Remove(RotateAnnotation);
        return body;
    }

    // Past its life, nothing of it can be used.
    private static CertifiedKey? Pair(LiveObject secret, string name, DateTimeOffset now) =>
        CertifiedKey.Read(Data(secret, $"{name}.crt"), Data(secret, $"{name}.key")) is { } pair && now < pair.NotAfter ? pair : null;

    private static string? Data(LiveObject secret, string key)
    {
        var encoded = secret.TextAt("data", key);
        var bytes = new byte[encoded?.Length ?? 0];
        return encoded is not null && Convert.TryFromBase64String(encoded, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : null;
    }

    private static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
