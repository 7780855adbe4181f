using System.Buffers.Binary;
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using Enclaves.Tests.Benchmarks.Admission;

/// <summary>
/// Where .NET begins a program that was started with DOTNET_STARTUP_HOOKS: it brings <see cref="HandlerTimes"/> into the Webhook, which
/// so needs nothing for benchmarks in itself. The runtime looks for this name, outside of any namespace.
/// </summary>
internal static class StartupHook
{
    public static void Initialize() => HandlerTimes.Record(Environment.GetEnvironmentVariable(HandlerTimes.FileVariable)!);
}

namespace Enclaves.Tests.Benchmarks.Admission
{
    /// <summary>
    /// The time of each review inside the Webhook's process: ASP.NET Core's own http.server.request.duration, from the request's headers
    /// to the end of the handler, reading the body, logging and writing the answer included. It holds neither the network nor the
    /// load generator, and nothing is subtracted from anything. The price is one listener call a request.
    /// </summary>
    internal static class HandlerTimes
    {
        /// <summary>Names the file that the times are written to when the program ends.</summary>
        public const string FileVariable = "ENCLAVES_HANDLER_TIMES";

        private const int MaxCount = 1_000_000;
        private static readonly double[] Seconds = new double[MaxCount];
        private static int _count;

        /// <summary>Begins to record every POST.</summary>
        public static void Record(string file)
        {
            var listener = new MeterListener
            {
                InstrumentPublished = (instrument, listener) =>
                {
                    if (instrument is { Meter.Name: "Microsoft.AspNetCore.Hosting", Name: "http.server.request.duration" })
                        listener.EnableMeasurementEvents(instrument);
                },
            };
            listener.SetMeasurementEventCallback<double>(Keep);
            listener.Start();
            AppDomain.CurrentDomain.ProcessExit += (_, _) =>
                File.WriteAllBytes(file, MemoryMarshal.AsBytes(Seconds.AsSpan(0, Math.Min(_count, MaxCount))));
        }

        /// <summary>The times that were written, in the order of the answers, in milliseconds.</summary>
        public static double[] Read(string file)
        {
            var bytes = File.ReadAllBytes(file);
            var times = new double[bytes.Length / sizeof(double)];
            for (var i = 0; i < times.Length; i++)
                times[i] = BinaryPrimitives.ReadDoubleLittleEndian(bytes.AsSpan(i * sizeof(double))) * 1000;
            return times;
        }

        private static void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
        {
            foreach (var tag in tags)
            {
                // The kubelet's questions are GETs.
                if (tag is { Key: "http.request.method", Value: "POST" } && Interlocked.Increment(ref _count) is var count and <= MaxCount)
                    Seconds[count - 1] = value;
            }
        }
    }
}
