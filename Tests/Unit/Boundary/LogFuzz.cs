using Enclaves.Channel.Logs;
using Enclaves.Channel.Session;
using Enclaves.EnclaveHost.Log;
using Enclaves.EnclaveHost.Session;
using Enclaves.Tests.Unit.Webhook.Fuzz;
using Google.Protobuf;

namespace Enclaves.Tests.Unit.Boundary;

/// <summary>Batches of the log as an enclave that means ill would send them: the host writes their lines, or refuses them.</summary>
internal sealed class LogFuzz : IDisposable
{
    private readonly StdoutLines _lines = new(Stream.Null, TimeProvider.System);

    /// <summary>Runs one case, which is the same whenever and wherever it is run.</summary>
    /// <returns>What came of it; a failure says how to run it again.</returns>
    public (string Outcome, string? Failure) Run(int seed, int number)
    {
        var random = new Random(FuzzSeed.Of(seed, number));
        var message = Batch(random).ToByteArray();
        try
        {
            // In the frames half of the time, in the message as a whole else.
            if (random.Next(2) == 0)
                Damage(message, random);
            var batch = LogBatch.Parser.ParseFrom(message);
            if (random.Next(2) == 0)
            {
                var frames = batch.Entries.ToByteArray();
                Damage(frames, random);
                batch.Entries = ByteString.CopyFrom(frames, 0, random.Next(4) == 0 ? random.Next(frames.Length + 1) : frames.Length);
            }

            new LogForwarder(_lines).Forward(batch);
            return ("written", null);
        }
        catch (InvalidProtocolBufferException)
        {
            return ("not a message", null);
        }
        catch (InvalidDataException)
        {
            return ("refused", null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ("failed", $"seed {seed}, log case {number}: {e}\nmessage: {Convert.ToHexString(message)}");
        }
    }

    public void Dispose() => _lines.Dispose();

    private static LogBatch Batch(Random random)
    {
        var batch = new LogBatch { FirstSequence = random.Next(3) == 0 ? ulong.MaxValue - (ulong)random.Next(3) : (ulong)random.Next(100) };
        batch.Sources.Add(new LogBatch.Types.Source { Container = "app", Stream = "stdout" });
        batch.Sources.Add(new LogBatch.Types.Source { Stream = "stderr" });
        var frames = new List<byte>();
        for (var i = random.Next(5); i >= 0; i--)
        {
            var text = new byte[random.Next(40)];
            random.NextBytes(text);
            var header = new byte[LogFrame.HeaderBytes];
            new LogFrame(random.NextInt64(long.MinValue, long.MaxValue), (ushort)random.Next(2), random.Next(2) == 0, text.Length).Write(header);
            frames.AddRange(header);
            frames.AddRange(text);
        }

        batch.Entries = ByteString.CopyFrom([.. frames]);
        return batch;
    }

    private static void Damage(byte[] bytes, Random random)
    {
        for (var i = random.Next(4); i >= 0 && bytes.Length > 0; i--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
    }
}
