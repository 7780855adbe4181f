using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Enclaves.Orchestrator.Nsm;

/// <summary>Carries a request to a Nitro Security Module and its response back.</summary>
internal interface INsm
{
    /// <exception cref="NsmException">It could not be carried.</exception>
    byte[] Ask(ReadOnlySpan<byte> request);
}

/// <summary>The module of this enclave, behind /dev/nsm (linux/nsm.h): one ioctl that takes the place and length of both messages.</summary>
internal sealed unsafe partial class NsmDevice : INsm, IDisposable
{
    /// <summary>Where it is; nowhere but in a Nitro Enclave.</summary>
    public const string Path = "/dev/nsm";

    // _IOWR(0x0A, 0, struct nsm_raw)
    private const nuint IoctlRaw = 0xC020_0A00;
    private const int MaxResponse = 0x3000;

    private readonly SafeFileHandle _device = File.OpenHandle(Path, FileMode.Open, FileAccess.ReadWrite);

    /// <summary>Whether this is a Nitro Enclave.</summary>
    public static bool IsThere => File.Exists(Path);

    public byte[] Ask(ReadOnlySpan<byte> request)
    {
        var response = new byte[MaxResponse];
        fixed (byte* question = request)
        fixed (byte* answer = response)
        {
            var message = new RawMessage
            {
                Request = (ulong)question,
                RequestLength = (ulong)request.Length,
                Response = (ulong)answer,
                ResponseLength = MaxResponse,
            };
            if (Ioctl(_device, IoctlRaw, ref message) < 0)
                throw new NsmException($"{Path}: {Marshal.GetLastPInvokeErrorMessage()}");
            // How long it is, the kernel has written into the message.
            return response[..(int)Math.Min(message.ResponseLength, MaxResponse)];
        }
    }

    public void Dispose() => _device.Dispose();

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(SafeHandle device, nuint request, ref RawMessage message);

    [StructLayout(LayoutKind.Sequential)]
    private struct RawMessage
    {
        public ulong Request;
        public ulong RequestLength;
        public ulong Response;
        public ulong ResponseLength;
    }
}
