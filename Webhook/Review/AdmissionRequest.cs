using System.Text.Json;

namespace Enclaves.Webhook.Review;

/// <summary>The part of an AdmissionReview's request that decisions are made of; valid as long as the document it was read from.</summary>
internal sealed record AdmissionRequest
{
    /// <summary>Identifies the request; the answer repeats it.</summary>
    public required string Uid { get; init; }

    /// <summary>CREATE, UPDATE, DELETE or CONNECT.</summary>
    public required string Operation { get; init; }

    /// <summary>Kind of the object.</summary>
    public required GroupVersionKind Kind { get; init; }

    /// <summary>status, scale or the like; empty for the object itself.</summary>
    public string SubResource { get; init; } = "";

    /// <summary>Name of the object; empty while it is still to be generated.</summary>
    public string Name { get; init; } = "";

    /// <summary>Namespace of the request; on CREATE the object itself need not have it.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Name of the user who asks.</summary>
    public string User { get; init; } = "";

    /// <summary>Whether nothing is to be stored.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>The object as it is to be; null on DELETE.</summary>
    public JsonElement? Object { get; init; }

    /// <summary>The object as it is; null on CREATE.</summary>
    public JsonElement? OldObject { get; init; }
}

/// <summary>Identifies a kind.</summary>
internal sealed record GroupVersionKind(string Group, string Version, string Kind)
{
    public override string ToString() => Group.Length == 0 ? $"{Version} {Kind}" : $"{Group}/{Version} {Kind}";
}
