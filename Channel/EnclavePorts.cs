namespace Enclaves.Channel;

/// <summary>Port numbers that both sides of the enclave boundary agree on.</summary>
public static class EnclavePorts
{
    /// <summary>vsock port of the session, inside the enclave. Fixed: each enclave has its own CID.</summary>
    public const uint Control = 7000;

    /// <summary>First ingress port; exposed port number i is served on IngressBase + i, in the pod and on the enclave's vsock.</summary>
    public const int IngressBase = 20000;

    /// <summary>vsock CID of the host as a virtual machine sees it (VMADDR_CID_HOST, linux/vm_sockets.h).</summary>
    public const uint HostCid = 2;

    /// <summary>vsock CID of the parent instance as a Nitro Enclave sees it.</summary>
    public const uint NitroParentCid = 3;

    /// <summary>
    /// Host-side port of the egress relay of the enclave with this CID. Host-side ports are shared by every enclave
    /// of a node, so each CID has a block of 16 of its own, above all ports that are in common use.
    /// </summary>
    public static uint Egress(uint cid) => 0x0010_0000 + ((cid & 0x00FF_FFFF) * 16);

    /// <summary>Host-side port that is bound by who has this CID for its enclaves; the last of its block.</summary>
    public static uint Claim(uint cid) => Egress(cid) + 15;

    /// <summary>Host-side port that is bound by who is booting a Nitro Enclave; of the block of CID 0, which no enclave has.</summary>
    public static uint BootLock => Egress(0);
}
