using Grpc.Core;

namespace Enclaves.Orchestrator.Logs;

/// <summary>
/// Follows one container's log file into the buffer and keeps the file small: the disk it lies on is memory. When it has grown past the
/// limit it is renamed, the runtime is told to open a new one, and the old one is read to its end and removed.
/// </summary>
internal sealed class CriLogFollower
{
    private const int RotateBytes = 1024 * 1024;
    private const int ReadBytes = 64 * 1024;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly string _path;
    private readonly Func<CancellationToken, Task> _reopen;
    private readonly LogBuffer _buffer;
    private readonly TimeProvider _time;
    private readonly LineAssembler _lines;
    private readonly ushort _out;
    private readonly ushort _error;
    private long _rotateAt = RotateBytes;

    public CriLogFollower(string path, string container, LogBuffer buffer, Func<CancellationToken, Task> reopen, TimeProvider time)
    {
        (_path, _reopen, _buffer, _time) = (path, reopen, buffer, time);
        (_out, _error) = (buffer.Source(container, "stdout"), buffer.Source(container, "stderr"));
        _lines = new LineAssembler(Append);
    }


    /// <summary>Follows until <paramref name="ended"/> is cancelled, and then to the end of what is there.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public async Task RunAsync(CancellationToken ended)
    {
        while (!File.Exists(_path))
        {
            if (ended.IsCancellationRequested)
                return;
            await PauseAsync(ended);
        }

        while (await FollowFileAsync(ended))
        {
        }

        _lines.Flush();
    }

    // True when the file was rotated and the next one is to be followed.
    private async Task<bool> FollowFileAsync(CancellationToken ended)
    {
        var old = _path + ".old";
        var rotated = false;
        await using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var chunk = new byte[ReadBytes];
        while (true)
        {
            // Looked at before the read: what was written before the container ended must not be missed.
            var last = rotated || ended.IsCancellationRequested;
            var count = await file.ReadAsync(chunk, CancellationToken.None);
            _lines.Add(chunk.AsSpan(0, count));
            if (!last && file.Position > _rotateAt)
                rotated = await RotateAsync(old, ended);
            else if (count == 0 && last)
                break;
            else if (count == 0)
                await PauseAsync(ended);
        }

        if (rotated)
            File.Delete(old);
        return rotated;
    }

    private async Task<bool> RotateAsync(string old, CancellationToken ended)
    {
        File.Move(_path, old, overwrite: true);
        try
        {
            await _reopen(ended);
            _rotateAt = RotateBytes;
            return true;
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            // The container has just ended, or the runtime is away: go on with this file and try again when it has doubled.
            File.Move(old, _path, overwrite: true);
            _rotateAt *= 2;
            return false;
        }
    }

    private async Task PauseAsync(CancellationToken ended)
    {
        try
        {
            await Task.Delay(Pause, _time, ended);
        }
        catch (OperationCanceledException)
        {
            // Time to read the rest.
        }
    }

    private void Append(ReadOnlySpan<byte> line, bool partial)
    {
        if (CriLogLine.TryParse(line, out var parsed))
            _buffer.Append(parsed.Stream == "stderr" ? _error : _out, parsed.Text, parsed.Partial, parsed.Time);
        else
            _buffer.Append(_out, line, partial, _time.GetUtcNow());
    }
}
