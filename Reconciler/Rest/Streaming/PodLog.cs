using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Rest.Auth;

namespace Enclaves.Reconciler.Rest.Streaming;

/// <summary>Which lines of a pod's log.</summary>
/// <param name="Container">Of which container in the enclave; null for all.</param>
/// <param name="Follow">Whether new lines are waited for.</param>
/// <param name="TailLines">How many of the last ones; null for all.</param>
/// <param name="SinceSeconds">How old they may be; null for any age.</param>
internal sealed record PodLogQuery(string? Container, bool Follow, int? TailLines, int? SinceSeconds);

/// <summary>Sends pods' logs on, as they come from the API server: as fast as the reader reads, for as long as the reader may.</summary>
internal sealed class PodLog(ApiServer server, TokenReviews tokens, AccessReviews reviews, LongAnswers answers)
{
    /// <summary>JSON objects, one a line.</summary>
    public const string MediaType = "application/x-ndjson";

    // A line of EnclaveHost has 16 KiB of text at most; what is longer is not one of its lines, and is sent on in pieces.
    private const int MostLineBytes = 256 * 1024;

    /// <summary>Sends what a query asks for as the answer of a request, until the log ends, the reader goes away, or may not read it any more.</summary>
    public Task SendAsync(HttpContext context, LiveObject pod, PodLogQuery query)
    {
        var (who, from) = (context.Recognised(), context.Connection.RemoteIpAddress);
        var access = new Access("get", "", "pods", pod.Key.Namespace, pod.Key.Name, "log");
        return answers.GiveAsync(
            context,
            async stopping => await tokens.WhoAsync(who.Token, from, stopping) is { } caller && await reviews.MayAsync(caller, access, stopping),
            stopping => SendAsync(context.Response, pod, query, stopping));
    }

    private async Task SendAsync(HttpResponse answer, LiveObject pod, PodLogQuery query, CancellationToken cancellation)
    {
        var path = $"{ResourceKind.Pod.PathOf(pod.Key, "log")}?container={NedNames.HostContainer}&follow={(query.Follow ? "true" : "false")}"
            + string.Create(CultureInfo.InvariantCulture, $"{(query.TailLines is { } lines ? $"&tailLines={lines}" : "")}{(query.SinceSeconds is { } seconds ? $"&sinceSeconds={seconds}" : "")}");
        using var response = await server.OpenAsync(path, $"reading the log of {ResourceKind.Pod.Describe(pod.Key)}", "*/*", cancellation);
        answer.ContentType = MediaType;
        // A reader is let know that there is a log, though it may be quiet.
        await answer.Body.FlushAsync(cancellation);
        await using var log = await response.Content.ReadAsStreamAsync(cancellation);
        await CopyAsync(PipeReader.Create(log), answer.BodyWriter, query.Container, cancellation);
    }

    private static async Task CopyAsync(PipeReader log, PipeWriter reader, string? container, CancellationToken cancellation)
    {
        var name = container is null ? null : Encoding.UTF8.GetBytes(container);
        while (true)
        {
            var read = await log.ReadAsync(cancellation);
            var rest = read.Buffer;
            while (TryTakeLine(ref rest, read.IsCompleted, out var line))
            {
                if (name is null || IsOf(line, name))
                {
                    foreach (var piece in line)
                        reader.Write(piece.Span);
                }
            }

            log.AdvanceTo(rest.Start, rest.End);
            await reader.FlushAsync(cancellation);
            if (read.IsCompleted)
                return;
        }
    }

    private static bool TryTakeLine(ref ReadOnlySequence<byte> rest, bool isLast, out ReadOnlySequence<byte> line)
    {
        var end = rest.PositionOf((byte)'\n') is { } newline ? rest.GetPosition(1, newline)
            : !rest.IsEmpty && (isLast || rest.Length > MostLineBytes) ? rest.End
            : (SequencePosition?)null;
        line = end is { } position ? rest.Slice(0, position) : default;
        if (end is { } next)
            rest = rest.Slice(next);
        return end is not null;
    }

    // EnclaveHost writes the members in a fixed order, but nothing here depends on it. What is not one of its lines is nobody's.
    private static bool IsOf(ReadOnlySequence<byte> line, byte[] container)
    {
        var json = new Utf8JsonReader(line);
        try
        {
            while (json.Read())
            {
                if (json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth == 1 && json.ValueTextEquals("container"u8))
                    return json.Read() && json.TokenType == JsonTokenType.String && json.ValueTextEquals(container);
            }
        }
        catch (JsonException)
        {
            // A line of another program, or a piece of one.
        }

        return false;
    }
}
