using System.Globalization;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Health;

/// <summary>Something that has happened to an enclave between two sweeps.</summary>
/// <param name="Reason">CamelCase word.</param>
/// <param name="Note">One sentence.</param>
internal readonly record struct SweptEvent(string Reason, string Note);

/// <summary>What is remembered of an enclave from one sweep to the next, and what two of them tell. Pure.</summary>
/// <param name="HostRestarts">How often the kubelet has started EnclaveHost again: its counts begin anew with each life of it.</param>
/// <param name="Boots">Boots of the enclave in this life of EnclaveHost.</param>
/// <param name="Restarts">How often each plugin has been started again in this boot.</param>
/// <param name="Unwell">Looks in a row at which it said that it is unhealthy.</param>
/// <param name="Silent">Looks in a row at which it gave no answer.</param>
internal sealed record SweptEnclave(int HostRestarts, int Boots, IReadOnlyDictionary<string, uint> Restarts, int Unwell, int Silent)
{
    // The readiness probe has had its say by then, if it is right.
    private const int TellingUnwell = 2;

    // One late answer proves nothing.
    private const int TellingSilent = 3;

    private const int MostPlugins = 64;

    /// <summary>Nothing is known yet.</summary>
    public static readonly SweptEnclave Unknown = new(0, 0, new Dictionary<string, uint>(), 0, 0);

    /// <summary>This one after another look.</summary>
    /// <param name="hostRestarts">Restarts of EnclaveHost by the kubelet.</param>
    /// <param name="report">What it said.</param>
    /// <param name="isSilenceOurs">Whether so many are silent that the fault is more likely here; then silence is held against nobody.</param>
    public SweptEnclave After(int hostRestarts, EnclaveReport report, bool isSilenceOurs)
    {
        if (report.Status is not { } status)
            return isSilenceOurs ? this : this with { Silent = Math.Min(Silent + 1, TellingSilent) };
        var restarts = new Dictionary<string, uint>(StringComparer.Ordinal);
        foreach (var plugin in Plugins(status))
            restarts.TryAdd(plugin.Name!, plugin.Restarts);
        return new SweptEnclave(hostRestarts, status.Boots, restarts, status.State == "Unhealthy" ? Math.Min(Unwell + 1, TellingUnwell) : 0, 0);
    }

    /// <summary>What is wrong with it although its pod is ready, or null.</summary>
    public PodTrouble? Trouble(ObjectKey pod, EnclaveReport report, DateTimeOffset now)
    {
        if (Silent >= TellingSilent)
            return EnclaveTrouble.Silent(pod, report.Failure);
        if (Unwell < TellingUnwell || report.Status is not { } status)
            return null;
        return EnclaveTrouble.Of(pod, status, now)
            ?? new PodTrouble(Reasons.EnclaveUnhealthy, $"The enclave of pod {pod} says that it is unhealthy: {Quote.Of(status.Health?.Reason ?? "no reason", 63)}; see kubectl -n {pod.Namespace} logs {pod.Name}; if it stays so, delete the pod and another takes its place.");
    }

    /// <summary>What has happened to it between an earlier look and now. Of the first look after a pause, or of another life of EnclaveHost, nothing is told.</summary>
    public static IEnumerable<SweptEvent> Between(ObjectKey pod, SweptEnclave before, SweptEnclave now, EnclaveStatus status)
    {
        if (before.Boots == 0 || before.HostRestarts != now.HostRestarts || now.Boots < before.Boots)
            yield break;
        if (now.Boots > before.Boots)
        {
            var why = (status.Transitions ?? []).TakeLast(EnclaveStatus.Most).OfType<EnclaveMove>().LastOrDefault(move => move is { To: "Starting", Reason: "EnclaveEnded" });
            yield return new SweptEvent(Reasons.EnclaveBootedAgain, string.Create(CultureInfo.InvariantCulture,
                $"The enclave of pod {pod} was booted again, boot {now.Boots} of its EnclaveHost: {(why?.Message is { Length: > 0 } said ? Quote.Of(said) : "why is not known")}; see kubectl -n {pod.Namespace} logs {pod.Name}."));
            // The plugins' counts have begun anew.
            yield break;
        }

        foreach (var plugin in Plugins(status))
        {
            if (before.Restarts.TryGetValue(plugin.Name!, out var known) && plugin.Restarts > known)
                yield return Restarted(pod, plugin, plugin.Restarts - known);
        }
    }

    private static SweptEvent Restarted(ObjectKey pod, PluginStatus plugin, uint times)
    {
        var why = plugin.LastTermination is { } end ? EnclaveTrouble.End(end) : "why is not known";
        return new SweptEvent(Reasons.PluginRestarted, string.Create(CultureInfo.InvariantCulture,
            $"Plugin {Quote.Of(plugin.Name, 63)} in the enclave of pod {pod} was started again, {times} times since the last look and {plugin.Restarts} in all, the last time after {why}; see kubectl -n {pod.Namespace} logs {pod.Name}."));
    }

    private static IEnumerable<PluginStatus> Plugins(EnclaveStatus status) =>
        (status.Containers ?? []).Take(MostPlugins).OfType<PluginStatus>().Where(plugin => plugin.Name is { Length: > 0 });
}
