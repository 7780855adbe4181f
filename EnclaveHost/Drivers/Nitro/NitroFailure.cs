using System.Globalization;
using System.Text.RegularExpressions;

namespace Enclaves.EnclaveHost.Drivers.Nitro;

/// <summary>A command of nitro-cli failed: one sentence with what happened and the next step.</summary>
internal sealed class NitroException(string message, int? code = null, bool isPassing = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The number of the error that caused it; null where nitro-cli named none.</summary>
    public int? Code { get; } = code;

    /// <summary>Whether another try may do.</summary>
    public bool IsPassing { get; } = isPassing;
}

/// <summary>
/// Finds the cause in what a command of nitro-cli wrote to standard error. Its enclave process tells first what went wrong, and the command then
/// that the enclave process has failed (E39), which is also its exit code: so the first number is the cause.
/// </summary>
internal sealed partial class NitroDiagnosis
{
    private const int MaxQuote = 300;

    private readonly Lock _gate = new();
    private int? _code;
    private string _quote = "";
    private bool _isQuoting;

    /// <summary>Whether the kernel had started the enclave before it failed.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>Looks at one line of standard error.</summary>
    public void Read(string line)
    {
        lock (_gate)
        {
            HasStarted |= line.StartsWith("Started enclave with enclave-cid", StringComparison.Ordinal);
            if (_code is null && Number().Match(line) is { Success: true } match)
            {
                _code = int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
                Quote(line[(match.Index + match.Length)..]);
                _isQuoting = true;
            }
            else if (_isQuoting)
            {
                // What is particular about the case follows in the next line, if at all; then come the links to the manual.
                if (!line.StartsWith("For more details", StringComparison.Ordinal))
                    Quote(line);
                _isQuoting = false;
            }
        }
    }

    /// <summary>The failure of a command.</summary>
    /// <param name="command">As in <c>run-enclave</c>.</param>
    /// <param name="exitCode">As the process ended.</param>
    /// <param name="lastLines">What it wrote last, for a case that has no number.</param>
    public NitroException Explain(string command, int exitCode, string lastLines)
    {
        lock (_gate)
        {
            // A number below is how the program itself ends with wrong arguments (1, 2), and above how a shell or the kernel ends it.
            var code = _code ?? (exitCode is > 2 and <= 60 ? exitCode : null);
            if (code is not { } number)
                return new NitroException(
                    $"nitro-cli {command} {HowItEnded(exitCode)}{(lastLines.Length == 0 ? " and said nothing" : $": {lastLines}")}; {NextStep(exitCode)}");
            var error = NitroErrors.Find(number);
            if (error is null)
                return new NitroException(
                    $"nitro-cli {command} failed with E{number:00}, which is not known here{Said()}; to mend it: ask nitro-cli explain --error-code E{number:00}", number);
            return new NitroException(
                $"nitro-cli {command} failed with {error.Text} ({error.Name}): {error.What}{Said()}; to mend it: {How(error)}", number, IsPassing(number));
        }
    }

    // Another boot, of somebody who does not hold our lock, has the port on which the enclave reports: that is before the start. An enclave that
    // was started and does not report will not do so the next second either.
    private bool IsPassing(int code) => code is 29 or 39 || (code == 36 && !HasStarted);

    private string How(NitroError error) => error.Code == 36 && !HasStarted
        ? "another enclave was booting on the node (vsock port 9000 was taken): it is tried again by itself"
        : error.How;

    private string Said() => _quote.Length == 0 ? "" : $" [{_quote}]";

    private void Quote(string text)
    {
        // The general part is in our own table.
        var general = text.IndexOf("Such error", StringComparison.Ordinal);
        var particular = (general >= 0 ? text[..general] : text).Trim().TrimEnd('.');
        if (particular.Length == 0)
            return;
        _quote = _quote.Length == 0 ? particular : $"{_quote}: {particular}";
        if (_quote.Length > MaxQuote)
            _quote = _quote[..MaxQuote];
    }

    private static string HowItEnded(int exitCode) => exitCode > 128
        ? string.Create(CultureInfo.InvariantCulture, $"was killed by signal {exitCode - 128}")
        : string.Create(CultureInfo.InvariantCulture, $"ended with code {exitCode}");

    private static string NextStep(int exitCode) => exitCode switch
    {
        126 or 127 => "to mend it: put nitro-cli into the image of EnclaveHost (docs/nitro-driver.md), or say with --nitro-cli where it is",
        > 128 => "to mend it: see whether the pod's memory limit is too small for it",
        _ => "to mend it: see that --nitro-cli is the real one and as new as this program",
    };

    [GeneratedRegex(@"\[ E(?<number>[0-9]{2}) \] ?")]
    private static partial Regex Number();
}
