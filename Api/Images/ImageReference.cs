using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Enclaves.Api;

/// <summary>A container image's reference by the grammar of the distribution project, at most 1024 characters.</summary>
public sealed partial record ImageReference
{
    private const int MaxLength = 1024;
    private const int MaxNameLength = 255;
    private const string DefaultRegistry = "docker.io";

    private ImageReference(string registry, string repository, string? tag, string? digest)
    {
        Registry = registry;
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>Host, or host:port, of the registry; docker.io where the reference names none.</summary>
    public string Registry { get; }

    /// <summary>Path of the repository in the registry.</summary>
    public string Repository { get; }

    /// <summary>Tag, or null.</summary>
    public string? Tag { get; }

    /// <summary>Digest such as sha256:…, or null.</summary>
    public string? Digest { get; }

    /// <summary>Host, or host:port, that a pull connects to first. docker.io is a name only; its registry is served elsewhere.</summary>
    public string PullHost => Registry == DefaultRegistry ? "registry-1.docker.io" : Registry;

    /// <summary>Parses a reference.</summary>
    /// <param name="text">The reference as the user wrote it.</param>
    /// <param name="reference">The parts, when the answer is true.</param>
    /// <param name="problem">What is wrong and what is allowed, when the answer is false.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImageReference? reference, [NotNullWhen(false)] out string? problem)
    {
        reference = null;
        if (string.IsNullOrEmpty(text))
        {
            problem = "is empty, allowed is [registry/]repository[:tag][@digest]";
            return false;
        }

        if (text.Length > MaxLength)
        {
            problem = $"has {text.Length} characters, allowed are {MaxLength}";
            return false;
        }

        if (!Whole().IsMatch(text))
        {
            problem = Diagnose(text);
            return false;
        }

        return TrySplit(text, out reference, out problem);
    }

    // By hand: groups of the expression would cost more than all else here, and in what it matches the separators are where they seem to be.
    private static bool TrySplit(string text, out ImageReference? reference, [NotNullWhen(false)] out string? problem)
    {
        reference = null;
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var digest = at < 0 ? null : text[(at + 1)..];
        var name = at < 0 ? text : text[..at];
        // A colon before the last slash is that of a port.
        var colonOfTag = name.LastIndexOf(':');
        var tag = colonOfTag > name.LastIndexOf('/') ? name[(colonOfTag + 1)..] : null;
        if (tag is not null)
            name = name[..colonOfTag];
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? "" : name[..slash];
        // What stands before the first slash is a registry only if it cannot be taken for a path: "library/nginx" has none.
        var hasRegistry = first.AsSpan().IndexOfAny('.', ':', '[') >= 0 || first == "localhost" || first.Any(char.IsAsciiLetterUpper);
        var repository = hasRegistry ? name[(slash + 1)..] : name;
        if (!RepositoryPath().IsMatch(repository))
        {
            problem = $"'{repository}' is not a repository; allowed are lower-case letters, digits and single separators . _ __ - between them";
            return false;
        }

        if (name.Length > MaxNameLength)
        {
            problem = $"has a name of {name.Length} characters, allowed are {MaxNameLength}";
            return false;
        }

        var registry = hasRegistry ? first : DefaultRegistry;
        if (registry.LastIndexOf(':') is > 0 and var colon && !registry.EndsWith(']')
            && int.Parse(registry.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture) is < 1 or > 65535)
        {
            problem = $"'{registry}' has no port of a registry at its end, allowed are 1 to 65535";
            return false;
        }

        if (!hasRegistry && slash < 0)
            repository = "library/" + repository;
        reference = new ImageReference(registry, repository, tag, digest);
        problem = null;
        return true;
    }

    private static string Diagnose(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0 && !DigestOnly().IsMatch(text[(at + 1)..]))
            return $"'{text}' has no valid digest after @; allowed is sha256: and 64 lower-case hexadecimal digits";
        return text.Any(char.IsWhiteSpace)
            ? $"'{text}' holds white space; allowed is [registry/]repository[:tag][@digest]"
            : text.Contains("://", StringComparison.Ordinal)
                ? $"'{text}' is a URL; allowed is [registry/]repository[:tag][@digest], without {text[..(text.IndexOf("://", StringComparison.Ordinal) + 3)]}"
                : $"'{text}' is not an image reference; allowed is [registry/]repository[:tag][@digest]";
    }

    private const string Digests = "sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}";

    private const string Component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";

    // The text comes from whoever may create a resource; its length is bounded above. Of some hundred thousand texts of that length that are
    // made of every short repetition the slowest took less than 0.1 ms: a timeout is only met by a thread that a busy machine does not run.
    [GeneratedRegex(
        @"\A(?:(?:(?:[a-zA-Z0-9][a-zA-Z0-9.-]*|\[[a-fA-F0-9:]+\])(?::[0-9]{1,5})?/)?[a-z0-9][a-z0-9._/-]*)(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@(?:" + Digests + @"))?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Whole();

    [GeneratedRegex(@"\A" + Component + "(?:/" + Component + @")*\z", RegexOptions.CultureInvariant)]
    private static partial Regex RepositoryPath();

    [GeneratedRegex(@"\A(?:" + Digests + @")\z", RegexOptions.CultureInvariant)]
    private static partial Regex DigestOnly();
}
