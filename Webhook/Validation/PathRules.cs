using FluentValidation;

namespace Enclaves.Webhook.Validation;

/// <summary>Paths of files and folders in containers and volumes.</summary>
internal static class PathRules
{
    // What every container has of its own, and could not run without.
    private static readonly string[] Reserved = ["/", "/proc", "/sys", "/dev"];

    /// <summary>An absolute path without '.' and '..', and not one of a container's own.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> MountPath<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((path, context) =>
    {
        if (path is null || path[..Math.Min(1, path.Length)] != "/" || path.Contains('\0', StringComparison.Ordinal) || (path.Length > 1 && !AreSteps(path[1..].TrimEnd('/'))))
            context.AddFailure($"'{path}' is not a place for a volume; allowed is an absolute path without '.', '..' and empty steps");
        else if (Reserved.Contains(path.Length > 1 ? path.TrimEnd('/') : path))
            context.AddFailure($"'{path}' is the container's own, allowed is any other path");
    });

    /// <summary>A relative path without '.' and '..'.</summary>
    public static IRuleBuilderOptionsConditions<T, string?> RelativePath<T>(this IRuleBuilder<T, string?> rule) => rule.Custom((path, context) =>
    {
        if (path is null || path.Contains('\0', StringComparison.Ordinal) || !AreSteps(path))
            context.AddFailure($"'{path}' is not a path in a volume; allowed is a relative path without '.', '..' and empty steps");
    });

    private static bool AreSteps(string path) => Array.TrueForAll(path.Split('/'), step => step is not ("" or "." or ".."));
}
