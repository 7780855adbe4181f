using System.Text.RegularExpressions;
using Enclaves.Reconciler.Control;

namespace Enclaves.Reconciler.Status;

/// <summary>Sentences about enclaves that do not boot or do not live, with what an error number of nitro-cli in them means.</summary>
internal static partial class EnclaveDeaths
{
    /// <summary>An enclave that has never answered.</summary>
    /// <param name="pod">Its pod.</param>
    /// <param name="said">What is known of its end, without a full stop.</param>
    public static PodTrouble BootFailed(ObjectKey pod, string said) => new(Reasons.EnclaveBootFailed,
        $"The enclave of pod {pod} does not boot: {WithNextStep(said, $"mend what it names, and see kubectl -n {pod.Namespace} logs {pod.Name}")}.");

    /// <summary>An enclave that has answered, and ended; it is booted again.</summary>
    /// <param name="pod">Its pod.</param>
    /// <param name="said">What is known of its end, without a full stop.</param>
    public static PodTrouble CrashLooping(ObjectKey pod, string said) => new(Reasons.EnclaveCrashLooping,
        "The enclave of pod " + pod + " has ended and is booted again: "
        + WithNextStep(said, $"see its last words in kubectl -n {pod.Namespace} logs {pod.Name} --previous, and whether spec.enclave.memory is enough for its plugins") + ".");

    // EnclaveHost's driver for Nitro Enclaves says the next step of each of nitro-cli's errors itself.
    private static string WithNextStep(string said, string otherwise) =>
        said.Contains("; to mend it: ", StringComparison.Ordinal) ? said : $"{said}; {NextStep(said) ?? otherwise}";

    // The error numbers of nitro-cli, which are its exit codes too. The first in the text is the cause; E39 and E44 only follow another.
    private static string? NextStep(string said) => Number().Match(said) is { Success: true } match ? match.Groups["number"].Value switch
    {
        "18" => "the container may not use the device of the enclaves: have the device plugin of the node looked at",
        "19" => "a file of the enclave image cannot be used: use the EnclaveHost image of this release",
        "20" or "21" => "the node's pool has not these CPUs: leave the choice to the node, or have its enclave allocator configured",
        "22" => "the node's pool has too few free CPUs: ask for fewer in spec.enclave.cpuCount, or have the node's enclave allocator give more",
        "26" => "the memory is less than four times the enclave image: ask for more in spec.enclave.memory",
        "27" => "the node has too few free huge pages: ask for less in spec.enclave.memory, or reserve more on the nodes",
        "29" or "36" => "another enclave was booting on the node, or its driver was busy: it is tried again by itself",
        "35" or "48" => "the enclave image cannot be read: use the EnclaveHost image of this release",
        "39" or "44" or "45" or "46" => "the enclave has ended at once: see what it says first on its console, with the chart's debug mode",
        "59" => "the signature of the enclave image is not valid: use the EnclaveHost image of this release",
        _ => null,
    } : null;

    [GeneratedRegex(@"\bE(?<number>[0-9]{2})\b")]
    private static partial Regex Number();
}
