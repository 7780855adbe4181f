namespace Enclaves.EnclaveHost.Eif.Commands;

/// <summary>Wrong arguments: the program ends with code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Arguments of a command: names without dashes in front, and options with a value each, <c>--name VALUE</c> or <c>--name=VALUE</c>.</summary>
internal sealed class CommandArguments
{
    private readonly Dictionary<string, List<string>> _options = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    /// <exception cref="UsageException">An option is none of these, or has no value.</exception>
    public CommandArguments(IReadOnlyList<string> arguments, params string[] known)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
            {
                _names.Add(arguments[i]);
                continue;
            }

            var (name, value) = arguments[i][2..].Split('=', 2) is [var left, var right] ? (left, right) : (arguments[i][2..], null);
            if (!known.Contains(name))
                throw new UsageException($"--{name}: there is no such option");
            if (value is null && ++i == arguments.Count)
                throw new UsageException($"--{name}: its value is missing");
            if (!_options.TryGetValue(name, out var values))
                _options[name] = values = [];
            values.Add(value ?? arguments[i]);
        }
    }

    /// <summary>The one name that is given.</summary>
    public string Name(string what) => _names is [var name] ? name : throw new UsageException($"needed is one {what}, given are {_names.Count}");

    /// <summary>For commands that take options alone.</summary>
    public void NoNames()
    {
        if (_names.Count > 0)
            throw new UsageException($"'{_names[0]}' is not an option; options look like --name VALUE");
    }

    public IReadOnlyList<string> All(string name) => _options.GetValueOrDefault(name, []);

    public string? Optional(string name) => All(name) switch
    {
        [] => null,
        [var value] => value,
        _ => throw new UsageException($"--{name}: is given more than once"),
    };

    public string Required(string name) => Optional(name) ?? throw new UsageException($"--{name}: is missing");
}
