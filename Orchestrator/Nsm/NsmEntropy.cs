using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Enclaves.Orchestrator.Nsm;

/// <summary>
/// Random bytes of the security module for the kernel's pool, at the start: an enclave has no device and no history to take them from. The
/// kernel's driver of the module feeds it later on, where that driver has a random number generator.
/// </summary>
internal static partial class NsmEntropy
{
    // _IOW('R', 3, int[2]); counts the bits, where a write to the device would only stir.
    private const nuint AddEntropy = 0x4008_5203;

    /// <summary>Hands over what the module gives; how many bytes.</summary>
    /// <exception cref="NsmException">The module gives none.</exception>
    /// <exception cref="IOException">The kernel does not take them.</exception>
    public static int Seed(INsm nsm)
    {
        var random = NsmMessages.ReadGetRandom(nsm.Ask(NsmMessages.GetRandom()));
        // struct rand_pool_info: bits, bytes, and the bytes.
        var info = new byte[8 + random.Length];
        BinaryPrimitives.WriteInt32LittleEndian(info, random.Length * 8);
        BinaryPrimitives.WriteInt32LittleEndian(info.AsSpan(4), random.Length);
        random.CopyTo(info, 8);
        using var pool = File.OpenHandle("/dev/random", FileMode.Open, FileAccess.ReadWrite);
        if (Ioctl(pool, AddEntropy, info) < 0)
            throw new IOException($"add entropy of the security module to /dev/random: {Marshal.GetLastPInvokeErrorMessage()}");
        return random.Length;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(SafeHandle device, nuint request, [In] byte[] info);
}
