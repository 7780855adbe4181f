namespace Enclaves.Webhook.Review;

/// <summary>What is answered: allowed, perhaps changed, perhaps with warnings; or denied with every cause.</summary>
internal sealed record AdmissionDecision
{
    /// <summary>Whether the request may go on.</summary>
    public required bool Allowed { get; init; }

    /// <summary>JSON patch to apply, in UTF-8; null where nothing changes.</summary>
    public byte[]? Patch { get; init; }

    /// <summary>What works but should not be done.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Every reason of a denial.</summary>
    public IReadOnlyList<AdmissionCause> Causes { get; init; } = [];

    /// <summary>What was decided, in one word: allowed, changed or denied.</summary>
    public string Name => !Allowed ? "denied" : Patch is null ? "allowed" : "changed";

    /// <summary>Lets the object through as it is.</summary>
    public static AdmissionDecision Allow { get; } = new() { Allowed = true };

    /// <summary>Lets the object through with these changes.</summary>
    public static AdmissionDecision Change(byte[]? patch) => new() { Allowed = true, Patch = patch };

    /// <summary>Refuses the object.</summary>
    public static AdmissionDecision Deny(params IReadOnlyList<AdmissionCause> causes) => new() { Allowed = false, Causes = causes };
}

/// <summary>One reason of a denial.</summary>
/// <param name="Field">Path of the field, such as spec.userPlugins[1].image.</param>
/// <param name="Message">What is wrong, what is allowed.</param>
internal sealed record AdmissionCause(string Field, string Message)
{
    /// <summary>The kind of rule that it comes from: one of a list in this program, never a text of a user's.</summary>
    public string Reason { get; init; } = "Object";

    public override string ToString() => $"{Field}: {Message}";
}
