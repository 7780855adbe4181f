using Enclaves.Channel.Manifest;
using Wire = Enclaves.Channel.Session;

namespace Enclaves.Orchestrator.Containers;

/// <summary>The three states of a container, as Kubernetes has them.</summary>
internal enum ContainerPhase
{
    /// <summary>Not running, and the reason says what it waits for.</summary>
    Waiting,

    /// <summary>Its process runs.</summary>
    Running,

    /// <summary>Ended, and not started again.</summary>
    Terminated,
}

/// <summary>What is known of a container at one moment; immutable.</summary>
internal sealed record ContainerView
{
    public required ManifestContainer Spec { get; init; }

    public required ContainerPhase Phase { get; init; }

    /// <summary>CamelCase; empty while it runs.</summary>
    public string Reason { get; init; } = "";

    public string Message { get; init; } = "";

    public uint Restarts { get; init; }

    /// <summary>It runs, and its readiness probe or, where it has none, its exposed ports answer.</summary>
    public bool Ready { get; init; }

    public DateTimeOffset? Started { get; init; }

    public ContainerExit? LastExit { get; init; }

    public string ImageDigest { get; init; } = "";

    /// <summary>Nothing is wrong with it: ready, or done as its restart policy allows.</summary>
    public bool Healthy => Ready || IsDone;

    /// <summary>It has ended without a failure and is not started again.</summary>
    public bool IsDone => Phase == ContainerPhase.Terminated && LastExit is { IsFailure: false };

    /// <summary>The form in which the host is told.</summary>
    public Wire.ContainerStatus ToWire()
    {
        var status = new Wire.ContainerStatus
        {
            Name = Spec.Name,
            Role = Spec.Role,
            State = Phase.ToString(),
            Reason = Reason,
            Message = Message,
            Restarts = Restarts,
            Ready = Ready,
            StartedUnixMilliseconds = Started?.ToUnixTimeMilliseconds() ?? 0,
            Image = Spec.Image,
            ImageDigest = ImageDigest,
        };
        if (LastExit is { } exit)
        {
            status.LastTermination = new Wire.LastTermination
            {
                ExitCode = exit.ExitCode,
                Reason = exit.Kill?.Reason ?? exit.Reason,
                Message = exit.Kill?.Message ?? "",
                Signal = exit.Signal,
                StartedUnixMilliseconds = exit.Started.ToUnixTimeMilliseconds(),
                FinishedUnixMilliseconds = exit.Finished.ToUnixTimeMilliseconds(),
            };
        }

        return status;
    }
}
