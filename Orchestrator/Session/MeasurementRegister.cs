using Enclaves.Channel;
using Enclaves.Orchestrator.Nsm;

namespace Enclaves.Orchestrator.Session;

/// <summary>The register that the manifest is measured into, which can be extended once.</summary>
internal interface IMeasurementRegister
{
    /// <summary>Whether it is software, and proves nothing to anybody.</summary>
    bool IsSimulated { get; }

    /// <summary>Extends it, SHA-384(old ‖ digest) from 48 zero bytes, so that it is never changed again; returns its new value.</summary>
    /// <exception cref="NsmException">It could not be, and the enclave has nothing to prove what it runs with: it must end.</exception>
    byte[] ExtendAndLock(ReadOnlySpan<byte> digest);
}

/// <summary>Stands in where there is no Nitro Security Module.</summary>
internal sealed class SimulatedRegister : IMeasurementRegister
{
    public bool IsSimulated => true;

    public byte[] ExtendAndLock(ReadOnlySpan<byte> digest) => PlatformRegister.ExtendedOnce(digest);
}

/// <summary>Register 16 of the Nitro Security Module, the first that is an enclave's own to use. It is in every attestation from then on.</summary>
internal sealed class NsmRegister(INsm nsm) : IMeasurementRegister
{
    public const ushort Index = 16;

    public bool IsSimulated => false;

    public byte[] ExtendAndLock(ReadOnlySpan<byte> digest)
    {
        var before = NsmMessages.ReadDescribePcr(nsm.Ask(NsmMessages.DescribePcr(Index)));
        if (before.IsLocked || before.Value.AsSpan().ContainsAnyExcept((byte)0))
            throw new NsmException($"register {Index} of the Nitro Security Module has been used already; start another enclave");
        var value = NsmMessages.ReadExtendPcr(nsm.Ask(NsmMessages.ExtendPcr(Index, digest)));
        NsmMessages.ReadLockPcr(nsm.Ask(NsmMessages.LockPcr(Index)));
        var after = NsmMessages.ReadDescribePcr(nsm.Ask(NsmMessages.DescribePcr(Index)));
        if (!after.IsLocked || !after.Value.AsSpan().SequenceEqual(value))
            throw new NsmException($"register {Index} of the Nitro Security Module is not locked, or not what it was extended to");
        return value;
    }
}
