using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Enclaves.EnclaveHost.Eif.Commands;

/// <summary><c>eif build</c></summary>
internal static class BuildCommand
{
    // As the Nitro tools bound it.
    private const int MaxCustomMetadata = 4096;
    private const int KernelStart = 64 << 10;

    public static void Run(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, TextWriter output)
    {
        var given = new CommandArguments(
            arguments, "kernel", "cmdline", "ramdisk", "arch", "name", "version", "metadata", "signing-certificate", "private-key", "out");
        given.NoNames();
        var kernel = given.Required("kernel");
        var commandLine = given.Required("cmdline");
        var ramdisks = given.All("ramdisk");
        var path = given.Required("out");
        if (ramdisks.Count == 0)
            throw new UsageException("--ramdisk: is missing");
        var arm = Architecture(given.Optional("arch") ?? "x86_64");
        using var signer = Signer(given);
        var measurements = EifWriter.Write(
            new EifRecipe
            {
                KernelPath = kernel,
                CommandLine = CommandLine(commandLine),
                RamdiskPaths = ramdisks,
                IsArm64 = arm,
                Metadata = Metadata(given, kernel, environment).ToBytes(),
                Signer = signer,
            },
            path);
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            EifDescription.Write(json, measurements);
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(bytes.ToArray()));
    }

    private static bool Architecture(string name) => name switch
    {
        "x86_64" => false,
        "aarch64" => true,
        _ => throw new UsageException($"--arch: '{name}' is not one of x86_64, aarch64"),
    };

    private static EifSigner? Signer(CommandArguments given) => (given.Optional("signing-certificate"), given.Optional("private-key")) switch
    {
        (null, null) => null,
        ({ } certificate, { } key) => EifSigner.Load(certificate, key),
        _ => throw new UsageException("--signing-certificate and --private-key: give both or none"),
    };

    // A line in a file ends with a newline that the kernel's does not have.
    private static string CommandLine(string given) => File.Exists(given) ? Read(given, "the command line").TrimEnd() : given;

    private static EifMetadata Metadata(CommandArguments given, string kernel, IReadOnlyDictionary<string, string> environment) => new()
    {
        ImageName = given.Optional("name") ?? "enclave",
        ImageVersion = given.Optional("version") ?? "0",
        BuildMetadata = new EifBuildMetadata
        {
            BuildTime = BuildTime(environment),
            BuildTool = "enclave-host",
            BuildToolVersion = typeof(BuildCommand).Assembly.GetName().Version?.ToString(3) ?? "",
            OperatingSystem = "Linux",
            KernelVersion = KernelVersionOf(kernel),
        },
        CustomMetadata = given.Optional("metadata") is { } path ? Custom(path) : null,
    };

    // Never the clock: whoever builds again must get the same bytes (reproducible-builds.org, SOURCE_DATE_EPOCH).
    private static string BuildTime(IReadOnlyDictionary<string, string> environment)
    {
        if (!environment.TryGetValue("SOURCE_DATE_EPOCH", out var text) || text.Length == 0)
            text = "0";
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253402300799)
            throw new UsageException($"SOURCE_DATE_EPOCH: '{text}' is not a number of seconds since 1970");
        return DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture);
    }

    private static JsonElement Custom(string path)
    {
        var text = Read(path, "the metadata");
        if (Encoding.UTF8.GetByteCount(text) > MaxCustomMetadata)
            throw new EifException(path, $"has more than {MaxCustomMetadata} bytes", "shorten it: metadata is for a few names and numbers");
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new EifException(path, "is not a JSON object", "write {\"name\": value, …}");
        }
        catch (JsonException e)
        {
            throw new EifException(path, $"is not JSON: {e.Message}", "write {\"name\": value, …}", e);
        }
    }

    private static string KernelVersionOf(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
            var start = new byte[KernelStart];
            return KernelVersion.Of(start.AsSpan(0, stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EifException(path, $"the kernel cannot be read: {e.Message}", "name a file that is there and readable", e);
        }
    }

    private static string Read(string path, string what)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EifException(path, $"{what} cannot be read: {e.Message}", "name a file that is there and readable", e);
        }
    }
}
