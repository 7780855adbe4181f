namespace Enclaves.Api;

/// <summary>What an absent field means. Constants are also the CRD's defaults; the others are functions of the spec.</summary>
public static class NedDefaults
{
    /// <summary>spec.replicas.</summary>
    public const int Replicas = 1;

    /// <summary>spec.enclave.cpuCount.</summary>
    public const int CpuCount = 2;

    /// <summary>spec.enclave.memory.</summary>
    public const string Memory = "1Gi";

    /// <summary>spec.enclave.image: the enclave image that every EnclaveHost image has.</summary>
    public const string EnclaveImage = "enclave.eif";

    /// <summary>spec.minReadySeconds.</summary>
    public const int MinReadySeconds = 0;

    /// <summary>spec.progressDeadlineSeconds.</summary>
    public const int ProgressDeadlineSeconds = 600;

    /// <summary>spec.revisionHistoryLimit.</summary>
    public const int RevisionHistoryLimit = 10;

    /// <summary>outboundConnections[].proxyAttestationIntervalSeconds, and its least value.</summary>
    public const int ProxyAttestationIntervalSeconds = 15;

    /// <summary>Its greatest value.</summary>
    public const int LongestProxyAttestationIntervalSeconds = 300;

    /// <summary>maxSurge and maxUnavailable of spec.strategy.</summary>
    public const string RollingUpdateShare = "25%";

    /// <summary>spec.enclave.hugepageSize: pages of 1 GiB where memory is 4 GiB or more and a whole multiple of them, else of 2 MiB.</summary>
    public static string HugepageSize(long memoryBytes) =>
        memoryBytes >= 4L << 30 && memoryBytes % (1L << 30) == 0 ? HugepageSizes.OneGi : HugepageSizes.TwoMi;
}
