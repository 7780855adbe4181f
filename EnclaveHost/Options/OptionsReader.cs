using System.Globalization;
using System.Net;

namespace Enclaves.EnclaveHost.Options;

/// <summary>
/// Reads options by name from the command line (<c>--name value</c>, <c>--name=value</c>) and the environment
/// (<c>ENCLAVE_NAME</c>, with underscores for dashes); the command line wins. Every problem is collected, so that a user sees
/// all of them at once. By hand rather than with a configuration binder, which would ignore a misspelt name.
/// </summary>
internal sealed class OptionsReader
{
    /// <summary>What the environment variables start with.</summary>
    public const string EnvironmentPrefix = "ENCLAVE_";

    private readonly Dictionary<string, (string Source, string Value)> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unread = new(StringComparer.Ordinal);

    public OptionsReader(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        foreach (var (variable, value) in environment)
        {
            if (variable.StartsWith(EnvironmentPrefix, StringComparison.Ordinal) && value.Length > 0)
                _values[variable[EnvironmentPrefix.Length..].Replace('_', '-').ToLowerInvariant()] = (variable, value);
        }

        for (var i = 0; i < arguments.Count; i++)
            i += ReadArgument(arguments, i);
    }

    /// <summary>What is wrong, one sentence each; complete only after <see cref="Finish"/>.</summary>
    public List<string> Problems { get; } = [];

    /// <summary>Names on the command line that nobody asked for are problems; variables of the environment may be somebody else's.</summary>
    public void Finish() => Problems.AddRange(_unread.Order().Select(name => $"--{name}: there is no such option"));

    public string Text(string name, string fallback) => Take(name)?.Value ?? fallback;

    public string Choice(string name, string fallback, params string[] allowed)
    {
        var value = Text(name, fallback);
        if (!allowed.Contains(value))
            Problems.Add($"--{name}: '{value}' is not one of {string.Join(", ", allowed)}");
        return value;
    }

    public bool Flag(string name)
    {
        if (Take(name) is not { } given)
            return false;
        if (bool.TryParse(given.Value, out var value))
            return value;
        Problems.Add($"{given.Source}: '{given.Value}' is neither true nor false");
        return false;
    }

    public int Number(string name, int fallback, int least, int most)
    {
        if (Take(name) is not { } given)
            return fallback;
        if (int.TryParse(given.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;
        Problems.Add($"{given.Source}: '{given.Value}' is not a whole number from {least} to {most}");
        return fallback;
    }

    /// <summary>A duration with its unit: 500ms, 2s, 3m.</summary>
    public TimeSpan Duration(string name, TimeSpan fallback, TimeSpan least, TimeSpan most)
    {
        if (Take(name) is not { } given)
            return fallback;
        if (ParseDuration(given.Value) is { } value && value >= least && value <= most)
            return value;
        Problems.Add($"{given.Source}: '{given.Value}' is not a duration such as 500ms, 2s or 3m, from {least} to {most}");
        return fallback;
    }

    public IPAddress Address(string name, IPAddress fallback)
    {
        if (Take(name) is not { } given)
            return fallback;
        if (IPAddress.TryParse(given.Value, out var value))
            return value;
        Problems.Add($"{given.Source}: '{given.Value}' is not an IP address");
        return fallback;
    }

    /// <summary>The URL of an HTTP server; null where there is none.</summary>
    public Uri? Url(string name)
    {
        if (Take(name) is not { } given)
            return null;
        if (Uri.TryCreate(given.Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0 && url.UserInfo.Length == 0)
            return url;
        Problems.Add($"{given.Source}: '{given.Value}' is not http(s)://HOST:PORT[/PATH]");
        return null;
    }

    /// <summary>Addresses with or without a port, separated by commas.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints(string name, int defaultPort)
    {
        var found = new List<IPEndPoint>();
        if (Take(name) is not { } given)
            return found;
        foreach (var text in given.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (IPEndPoint.TryParse(text, out var address))
                found.Add(address.Port == 0 ? new IPEndPoint(address.Address, defaultPort) : address);
            else
                Problems.Add($"{given.Source}: '{text}' is not an address such as 10.0.0.10 or 10.0.0.10:53");
        }

        return found;
    }

    /// <summary>Networks in CIDR form, separated by commas; a plain address is a network of one.</summary>
    public IReadOnlyList<IPNetwork> Networks(string name)
    {
        var networks = new List<IPNetwork>();
        if (Take(name) is not { } given)
            return networks;
        foreach (var text in given.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (IPNetwork.TryParse(text, out var network))
                networks.Add(network);
            else if (IPAddress.TryParse(text, out var address))
                networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else
                Problems.Add($"{given.Source}: '{text}' is not a network in CIDR form such as 10.0.0.0/8");
        }

        return networks;
    }

    private static TimeSpan? ParseDuration(string text)
    {
        (string Unit, double Milliseconds)[] units = [("ms", 1), ("s", 1000), ("m", 60_000)];
        foreach (var (unit, milliseconds) in units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                && number <= 1e6)
                return TimeSpan.FromMilliseconds(number * milliseconds);
        }

        return null;
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
        var separate = equals < 0 && at + 1 < arguments.Count && !arguments[at + 1].StartsWith("--", StringComparison.Ordinal);
        var value = equals >= 0 ? argument[(equals + 1)..] : separate ? arguments[at + 1] : "true";
        _values[name] = ($"--{name}", value);
        _unread.Add(name);
        return separate ? 1 : 0;
    }

    private (string Source, string Value)? Take(string name)
    {
        _unread.Remove(name);
        return _values.TryGetValue(name, out var found) ? found : null;
    }
}
