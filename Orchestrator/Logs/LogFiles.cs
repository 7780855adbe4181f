using System.Buffers;
using System.Globalization;
using Enclaves.Channel.Logs;
using Enclaves.Channel.Manifest;

namespace Enclaves.Orchestrator.Logs;

/// <summary>
/// The logs that a logging plugin is given: a file NAME.log for each container that it may read, of JSON lines as in the pod's log, in a folder
/// that it sees at <see cref="Target"/>. The disk they lie on is memory: a file that has grown to half a MiB becomes NAME.log.1, and the one
/// before it is gone. Collectors of files follow that. What went by too fast is counted in a line of its own, in each file.
/// </summary>
/// <param name="root">Folder of the enclave's own files.</param>
/// <param name="buffer">Where the lines are.</param>
/// <param name="logger">The Orchestrator's log.</param>
internal sealed partial class LogFiles(string root, LogBuffer buffer, ILogger<LogFiles> logger) : IAsyncDisposable
{
    /// <summary>Where a logging plugin finds them.</summary>
    public const string Target = "/var/log/enclave";

    private const int RotateBytes = 512 * 1024;

    private readonly ILogger<LogFiles> _logger = logger;
    private readonly Dictionary<string, OpenFile> _files = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly JsonLines _json = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _writing = Task.CompletedTask;

    /// <summary>The folder with the files.</summary>
    public string Folder { get; } = Path.Combine(root, "logs");

    /// <summary>Begins to write what the containers of the manifest may read, until disposal: the last lines of those that are stopped, too.</summary>
    /// <exception cref="IOException">The folder or a file in it cannot be made.</exception>
    public void Start(EnclaveManifest manifest)
    {
        var names = manifest.Containers.SelectMany(container => container.LogsAccess ?? []).Distinct(StringComparer.Ordinal).ToList();
        if (names.Count == 0)
            return;
        Directory.CreateDirectory(Folder);
        foreach (var name in names)
            _files[name] = Open(name);
        _writing = Task.Run(WriteAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _writing;
        foreach (var file in _files.Values)
            await file.Stream.DisposeAsync();
        _stop.Dispose();
    }

    private async Task WriteAsync()
    {
        try
        {
            var last = 0ul;
            await foreach (var chunk in buffer.ReadAsync(_stop.Token))
                Write(chunk, ref last);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The enclave ends, and its memory with it.
        }
        catch (IOException e)
        {
            // No more memory for files: the enclave goes on, and its log to the pod as well.
            LogStopped(e.Message);
        }
    }

    private void Write(LogChunk chunk, ref ulong last)
    {
        var missing = chunk.First - last - 1;
        ReadOnlyMemory<byte> rest = chunk.Frames;
        for (last = chunk.First - 1; !rest.IsEmpty; last++)
        {
            var frame = LogFrame.Take(ref rest, chunk.Sources.Count, out var text);
            var source = chunk.Sources[frame.Source];
            if (missing > 0)
                Tell(missing, frame.UnixTicks);
            missing = 0;
            if (_files.TryGetValue(source.Container, out var file))
                Add(source.Container, file, new LogLine(Time(frame.UnixTicks), file.SourceOf(source.Stream), text, frame.Partial));
        }
    }

    // Nobody knows whose they were.
    private void Tell(ulong missing, long ticks)
    {
        foreach (var (name, file) in _files.ToList())
            Add(name, file, new LogLine(Time(ticks), file.SourceOf("stdout"), string.Create(CultureInfo.InvariantCulture, $"[{missing} lines of the enclave before this one were dropped]")));
    }

    private void Add(string name, OpenFile file, LogLine line)
    {
        _line.ResetWrittenCount();
        _json.Write(line, _line);
        file.Stream.Write(_line.WrittenSpan);
        if (file.Stream.Length < RotateBytes)
            return;
        file.Stream.Dispose();
        File.Move(PathOf(name), PathOf(name) + ".1", overwrite: true);
        _files[name] = Open(name);
    }

    private string PathOf(string name) => Path.Combine(Folder, name + ".log");

    private OpenFile Open(string name) => new(new FileStream(PathOf(name), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0), name);

    private static DateTimeOffset Time(long unixTicks) => DateTimeOffset.UnixEpoch.AddTicks(unixTicks);

    [LoggerMessage(1, LogLevel.Error, "the logging plugin is given no more lines: {Reason}")]
    private partial void LogStopped(string reason);

    private sealed class OpenFile(FileStream stream, string container)
    {
        private readonly LogSource _out = new(container, "stdout");
        private readonly LogSource _error = new(container, "stderr");

        public FileStream Stream { get; } = stream;

        public LogSource SourceOf(string name) => name == "stderr" ? _error : _out;
    }
}
