using System.Net.Sockets;
using System.Text;
using Enclaves.Channel.Transport;

namespace Enclaves.Channel.Egress;

/// <summary>The host refused a connection, with its sentence.</summary>
public sealed class EgressRefusedException(string message) : Exception(message);

/// <summary>
/// The first exchange on an egress connection. The guest sends an <see cref="EgressRequest"/> and nothing more; the host connects and answers
/// <c>OK\n</c>, after which the connection is a plain byte stream, or <c>ERR &lt;sentence&gt;\n</c>, after which it closes.
/// </summary>
public static class EgressHandshake
{
    /// <summary>How long the guest waits for the answer: a name lookup and a TCP connect on the host.</summary>
    public static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    /// <summary>How long the host waits for the request.</summary>
    public static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(10);

    /// <summary>Guest's side: asks for the connection.</summary>
    /// <exception cref="EgressRefusedException">The host says no, and why.</exception>
    /// <exception cref="InvalidDataException">The host's answer is malformed.</exception>
    /// <exception cref="TimeoutException">No answer within <see cref="AnswerLimit"/>.</exception>
    public static async ValueTask RequestAsync(Socket socket, EgressRequest request, CancellationToken cancellation)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(AnswerLimit);
        try
        {
            await BoundedLine.WriteAsync(socket, request.Format(), timed.Token);
            var answer = await BoundedLine.ReadAsync(socket, EgressRequest.MaxLineBytes, "egress answer", timed.Token);
            if (answer == "OK")
                return;
            if (answer.StartsWith("ERR ", StringComparison.Ordinal))
                throw new EgressRefusedException(answer[4..]);
            throw new InvalidDataException($"egress answer: '{answer}' is neither OK nor ERR");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"egress to {request.Host}:{request.Port}: the host gave no answer within {AnswerLimit.TotalSeconds} s");
        }
    }

    /// <summary>Host's side: reads the request.</summary>
    /// <exception cref="InvalidDataException">The line is malformed.</exception>
    /// <exception cref="TimeoutException">No line within <see cref="RequestLimit"/>.</exception>
    public static async ValueTask<EgressRequest> ReadRequestAsync(Socket socket, CancellationToken cancellation)
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timed.CancelAfter(RequestLimit);
        try
        {
            return EgressRequest.Parse(await BoundedLine.ReadAsync(socket, EgressRequest.MaxLineBytes, "egress request", timed.Token));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"egress request: no line within {RequestLimit.TotalSeconds} s");
        }
    }

    /// <summary>Host's side: the connection stands; bytes follow.</summary>
    public static ValueTask AcceptAsync(Socket socket, CancellationToken cancellation) =>
        BoundedLine.WriteAsync(socket, "OK\n", cancellation);

    /// <summary>Host's side: says no. Control characters and other scripts are replaced, a long sentence is cut.</summary>
    public static ValueTask RefuseAsync(Socket socket, string sentence, CancellationToken cancellation)
    {
        const int room = EgressRequest.MaxLineBytes - 5;
        var text = new StringBuilder("ERR ");
        foreach (var c in sentence.AsSpan(0, Math.Min(sentence.Length, room)))
            text.Append(c is >= ' ' and <= '~' ? c : '?');
        return BoundedLine.WriteAsync(socket, text.Append('\n').ToString(), cancellation);
    }
}
