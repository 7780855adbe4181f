using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>Size and image of each enclave.</summary>
public sealed record EnclaveSpec
{
    /// <summary>CPUs of each enclave. It takes full cores from its node, which has them no more while the enclave runs.</summary>
    /// <remarks>An even number, and no less than the plugins' resources.limits.cpu together.</remarks>
    [JsonPropertyName("cpuCount")]
    [Range(1, 256)]
    [DefaultValue(NedDefaults.CpuCount)]
    public int? CpuCount { get; init; }

    /// <summary>Memory of each enclave, which everything in it shares: the containers, their images and their files. The node must have it as free huge pages.</summary>
    /// <remarks>At least 64Mi, a whole multiple of hugepageSize, and no less than the plugins' resources.limits.memory together.</remarks>
    [JsonPropertyName("memory")]
    [JsonConverter(typeof(QuantityTextConverter))]
    [DefaultValue(NedDefaults.Memory)]
    public string? Memory { get; init; }

    /// <summary>Size of the huge pages that back the memory. Absent means 1Gi where memory is 4Gi or more and a whole multiple of it, else 2Mi.</summary>
    [JsonPropertyName("hugepageSize")]
    [AllowedValues(HugepageSizes.TwoMi, HugepageSizes.OneGi)]
    public string? HugepageSize { get; init; }

    /// <summary>The image that the enclave boots: the name of an EIF that the EnclaveHost image ships, such as base.eif, or an OCI reference. Absent means the one of the installation.</summary>
    /// <remarks>A name that ends in .eif, or an OCI reference with a digest.</remarks>
    [JsonPropertyName("image")]
    [StringLength(1024, MinimumLength = 1)]
    public string? Image { get; init; }

    /// <summary>Further hosts that image pulls may reach, such as a registry's redirect and token hosts. The registries of the plugins' images always may.</summary>
    /// <remarks>Each a host name or IPv4 address, alone or with :port; no scheme, no path.</remarks>
    [JsonPropertyName("registries")]
    [ListSet]
    [MaxLength(64)]
    [ItemLength(1, 261)]
    public IReadOnlyList<string>? Registries { get; init; }

    /// <summary>Whether the enclave runs in debug mode. Then its measurements are zero and its console can be read: for development only.</summary>
    /// <remarks>true gives a warning.</remarks>
    [JsonPropertyName("debugMode")]
    [DefaultValue(false)]
    public bool? DebugMode { get; init; }
}

/// <summary>Values of <see cref="EnclaveSpec.HugepageSize"/>.</summary>
public static class HugepageSizes
{
    /// <summary>Pages of 2 MiB.</summary>
    public const string TwoMi = "2Mi";

    /// <summary>Pages of 1 GiB.</summary>
    public const string OneGi = "1Gi";

    /// <summary>Bytes of a page of this size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is neither 2Mi nor 1Gi.</exception>
    public static long Bytes(string size) => size switch
    {
        TwoMi => 2L << 20,
        OneGi => 1L << 30,
        _ => throw new ArgumentOutOfRangeException(nameof(size), size, $"allowed are {TwoMi} and {OneGi}"),
    };
}
