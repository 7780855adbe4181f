using System.Globalization;
using System.Text.RegularExpressions;
using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Status;

namespace Enclaves.Reconciler.Health;

/// <summary>Reads out of an enclave's status why it is not ready. Pure.</summary>
internal static partial class EnclaveTrouble
{
    // A server that is being started takes its time before it accepts connections and its probes succeed.
    private static readonly TimeSpan TimeToBeReady = TimeSpan.FromSeconds(20);

    /// <summary>The cause, or null when there is none that is known, or the enclave only starts.</summary>
    /// <param name="pod">Its pod.</param>
    /// <param name="status">What EnclaveHost says.</param>
    /// <param name="now">The time.</param>
    public static PodTrouble? Of(ObjectKey pod, EnclaveStatus status, DateTimeOffset now)
    {
        if (status is { State: "Unhealthy", Health: { Healthy: false, Reason: "NoAnswer" } health })
        {
            return new PodTrouble(Reasons.EnclaveNotAnswering,
                $"The enclave of pod {pod} does not answer: {WithoutCount(Quote.Of(health.Message))}; it gets no traffic until it does; if it stays so, delete the pod and another takes its place.");
        }

        // Before the first answer of this boot, what is known of the plugins is about the boot before.
        return status.State is "Starting" or "Booting"
            ? OfBoots(pod, status)
            : (status.Containers ?? []).Take(EnclaveStatus.Most).OfType<PluginStatus>()
                .Select(plugin => OfPlugin(pod, plugin, now)).FirstOrDefault(trouble => trouble is not null)
                ?? OfBoots(pod, status);
    }

    private static PodTrouble? OfBoots(ObjectKey pod, EnclaveStatus status)
    {
        var moves = (status.Transitions ?? []).TakeLast(EnclaveStatus.Most).OfType<EnclaveMove>().ToList();
        var end = moves.FindLastIndex(move => move is { To: "Starting", Reason: "EnclaveEnded" });
        // Once it has been well again, the end before is history.
        if (end < 0 || moves.FindIndex(end, move => move.To == "Running") >= 0)
            return null;
        var boot = moves.FindLastIndex(end, move => move.To == "Booting");
        var answered = boot >= 0 && moves.FindIndex(boot, end - boot, move => move.To == "Booted") >= 0;
        var said = Quote.Of(moves[end].Message);
        return answered ? EnclaveDeaths.CrashLooping(pod, said) : EnclaveDeaths.BootFailed(pod, said);
    }

    private static PodTrouble? OfPlugin(ObjectKey pod, PluginStatus plugin, DateTimeOffset now)
    {
        if (plugin.Ready)
            return null;
        var who = $"Plugin {Quote.Of(plugin.Name, 63)} in the enclave of pod {pod}";
        var said = Quote.Of(plugin.Message);
        var logs = $"kubectl -n {pod.Namespace} logs {pod.Name}";
        return plugin switch
        {
            { State: "Terminated", LastTermination: { } end } when end.ExitCode != 0 || end.Message is { Length: > 0 } => new(Reasons.PluginUnhealthy,
                $"{who} has ended with {End(end)} and its restart policy leaves it so; see {logs}."),
            { State: "Terminated" } => null,
            // A pull that is tried once more says nothing new until it is over.
            { Reason: "ErrImagePull" or "ImagePullBackOff" } or { Reason: "PullingImage", Message.Length: > 0 } => new(Reasons.PluginImagePull,
                $"{who} cannot pull its image {Quote.Of(plugin.Image)}: {Quote.Of(WaitingAfter().Replace(plugin.Message ?? "", ""))}; "
                + "see that the image's name is right, that its registry answers, and that imagePullSecret has a login for it."),
            { Reason: "CreateContainerError" or "RunContainerError" or "CreateContainerConfigError" or "InternalError" } => new(Reasons.PluginNotStarted,
                $"{who} cannot be started: {said}; correct what it names (command, args, user, volumes), it is tried again by itself."),
            { State: "Running", StartedAt: { } started } when now - started > TimeToBeReady => new(Reasons.PluginUnhealthy,
                $"{who} runs but is not ready: {(plugin.Message is { Length: > 0 } ? said : "it does not accept connections on its exposed ports")}; see what it listens on and what its probes ask for, and {logs}."),
            // It is started again at once, and nothing is wrong with it.
            { LastTermination.Reason: "SecretRotated" } => null,
            { LastTermination: { } end } => new(Reasons.PluginRestarting, string.Create(CultureInfo.InvariantCulture,
                $"{who} ends again and again, {plugin.Restarts} restarts so far, the last time with {End(end)}; see {logs}.")),
            _ => null,
        };
    }

    /// <summary>An EnclaveHost that runs and gives no status.</summary>
    /// <param name="pod">Its pod.</param>
    /// <param name="why">What asking it came to.</param>
    public static PodTrouble Silent(ObjectKey pod, string? why) => new(Reasons.EnclaveHostSilent,
        $"EnclaveHost of pod {pod} runs but does not tell the Reconciler its status: {Quote.Of(why)}; see that no NetworkPolicy keeps the Reconciler from the pod's port {EnclaveStatusReader.Port}, and kubectl -n {pod.Namespace} logs {pod.Name}.");

    /// <summary>How a plugin ended, as part of a sentence.</summary>
    public static string End(PluginEnd end) =>
        string.Create(CultureInfo.InvariantCulture, $"exit code {end.ExitCode} ({Quote.Of(end.Reason is { Length: > 0 } reason ? reason : "no reason", 63)})")
        + (end.Message is { Length: > 0 } why ? $", since its {Quote.Of(why)}" : "");

    // Counts and waits change with each try; the status would be written as often.
    private static string WithoutCount(string said) => Misses().Replace(said, "");

    [GeneratedRegex(@"\A[0-9]+ health checks in a row without an answer: ")]
    private static partial Regex Misses();

    [GeneratedRegex(@"\Awaiting [0-9.]+ s after: ")]
    private static partial Regex WaitingAfter();
}
