using Enclaves.Channel;
using Enclaves.Channel.Transport;
using Microsoft.Extensions.Logging;

namespace Enclaves.Orchestrator.Options;

/// <summary>What runs the containers.</summary>
internal enum RuntimeKind
{
    /// <summary>containerd, over the Container Runtime Interface.</summary>
    Containerd,

    /// <summary>Local processes without any isolation, for demonstrations and tests.</summary>
    Process,
}

/// <summary>
/// The command line, <c>--name value</c> or <c>--name=value</c>, and below it the environment, <c>ENCLAVES_NAME</c>.
/// </summary>
internal sealed record OrchestratorOptions
{
    private static readonly string[] Names = ["listen", "runtime", "log-level", "containerd-socket"];

    public const string Usage =
        "orchestrator [--listen vsock://any:7000|dir:///<directory>:7000] [--runtime containerd|process] "
        + "[--log-level debug|information|warning|error] [--containerd-socket <path>]";

    public required ChannelEndpoint Listen { get; init; }

    public required RuntimeKind Runtime { get; init; }

    public required LogLevel LogLevel { get; init; }

    /// <summary>Unix socket of containerd's CRI service.</summary>
    public required string ContainerdSocket { get; init; }

    /// <summary>Reads the options.</summary>
    /// <param name="args">Command line without the program's name.</param>
    /// <param name="environment">Looks up an environment variable.</param>
    /// <param name="asInit">
    /// As PID 1 the kernel hands over words of its own command line that it does not know: unknown ones are ignored, not refused.
    /// </param>
    /// <exception cref="FormatException">Names the option and what is wrong with it.</exception>
    public static OrchestratorOptions Parse(IReadOnlyList<string> args, Func<string, string?> environment, bool asInit)
    {
        var values = ReadCommandLine(args, asInit);
        string Value(string name, string otherwise) =>
            values.GetValueOrDefault(name)
            ?? environment("ENCLAVES_" + name.ToUpperInvariant().Replace('-', '_'))
            ?? otherwise;
        return new OrchestratorOptions
        {
            Listen = ChannelEndpoint.Parse(Value("listen", ChannelEndpoint.Vsock(VsockEndPoint.AnyCid, EnclavePorts.Control).ToString())),
            Runtime = Choice<RuntimeKind>("runtime", Value("runtime", "containerd")),
            LogLevel = Choice<LogLevel>("log-level", Value("log-level", "information")),
            ContainerdSocket = Value("containerd-socket", "/run/containerd/containerd.sock"),
        };
    }

    private static Dictionary<string, string> ReadCommandLine(IReadOnlyList<string> args, bool asInit)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            var parts = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][2..].Split('=', 2) : [];
            if (parts.Length == 0 || !Names.Contains(parts[0]))
            {
                if (asInit)
                    continue;
                throw new FormatException($"'{args[i]}' is not an option; usage: {Usage}");
            }

            if (parts.Length == 1 && i + 1 == args.Count)
                throw new FormatException($"--{parts[0]}: a value is missing; usage: {Usage}");
            values[parts[0]] = parts.Length == 2 ? parts[1] : args[++i];
        }

        return values;
    }

    private static T Choice<T>(string name, string value)
        where T : struct, Enum =>
        Enum.TryParse<T>(value, ignoreCase: true, out var choice) && Enum.IsDefined(choice)
            ? choice
            : throw new FormatException($"--{name}: '{value}' is not one of {string.Join(", ", Enum.GetNames<T>())}");
}
