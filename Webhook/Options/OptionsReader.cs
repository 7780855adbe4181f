using System.Globalization;

namespace Enclaves.Webhook.Options;

/// <summary>
/// Reads options by name from the command line (<c>--name value</c>, <c>--name=value</c>) and the environment
/// (<c>WEBHOOK_NAME</c>, with underscores for dashes); the command line wins. Every problem is collected, so that a user sees
/// all of them at once. By hand rather than with a configuration binder, which would ignore a misspelt name.
/// </summary>
internal sealed class OptionsReader
{
    public const string EnvironmentPrefix = "WEBHOOK_";

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unread = new(StringComparer.Ordinal);

    public OptionsReader(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (variable, value) in environment)
        {
            // Service links of Kubernetes look like WEBHOOK_PORT too: only what is asked for is read from the environment.
            if (variable.StartsWith(EnvironmentPrefix, StringComparison.Ordinal) && value.Length > 0)
                _values[variable[EnvironmentPrefix.Length..].Replace('_', '-').ToLowerInvariant()] = value;
        }

        for (var i = 0; i < arguments.Count; i++)
            i += ReadArgument(arguments, i);
    }

    /// <summary>What is wrong, one sentence each; complete only after <see cref="Finish"/>.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>Names on the command line that nobody asked for are problems.</summary>
    public void Finish() => Problems.AddRange(_unread.Order().Select(name => $"--{name}: there is no such option"));

    public string Text(string name, string fallback) => Take(name) ?? fallback;

    public string Required(string name)
    {
        if (Take(name) is { } value)
            return value;
        Problems.Add($"--{name}: is required");
        return "";
    }

    public string Choice(string name, string fallback, params string[] allowed)
    {
        var value = Text(name, fallback);
        if (!allowed.Contains(value))
            Problems.Add($"--{name}: '{value}' is not one of {string.Join(", ", allowed)}");
        return value;
    }

    public int Number(string name, int fallback, int least, int most)
    {
        if (Take(name) is not { } text)
            return fallback;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        Problems.Add($"--{name}: '{text}' is not a whole number from {least} to {most}");
        return fallback;
    }

    /// <summary>Takes a value that the check finds a problem with as that problem.</summary>
    public string Checked(string name, string fallback, Func<string, string?> problem)
    {
        var value = Text(name, fallback);
        if (problem(value) is { } found)
            Problems.Add($"--{name}: {found}");
        return value;
    }

    // Answers how many further arguments were used up.
    private int ReadArgument(IReadOnlyList<string> arguments, int at)
    {
        var argument = arguments[at];
        if (!argument.StartsWith("--", StringComparison.Ordinal) || argument.Length == 2)
        {
            Problems.Add($"'{argument}' is not an option; options look like --name value or --name=value");
            return 0;
        }

        var equals = argument.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? argument[2..] : argument[2..equals];
        _unread.Add(name);
        if (equals >= 0)
        {
            _values[name] = argument[(equals + 1)..];
            return 0;
        }

        if (at + 1 == arguments.Count)
        {
            Problems.Add($"--{name}: has no value");
            return 0;
        }

        _values[name] = arguments[at + 1];
        return 1;
    }

    private string? Take(string name)
    {
        _unread.Remove(name);
        return _values.TryGetValue(name, out var value) && value.Length > 0 ? value : null;
    }
}
