using System.Runtime.InteropServices;
using Enclaves.Orchestrator.Init;

namespace Enclaves.Orchestrator.Processes;

/// <summary>A started process.</summary>
internal sealed class Child
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Child(int id) => Id = id;

    /// <summary>Process id and, at the same time, id of its process group.</summary>
    public int Id { get; }

    /// <summary>Exit code; 128 + signal number when a signal ended it.</summary>
    public Task<int> Exit => _exit.Task;

    /// <summary>Signals the whole process group; nothing happens once the process has been collected.</summary>
    public void Signal(int signal)
    {
        lock (_lock)
        {
            if (!_exit.Task.IsCompleted)
                _ = Libc.Kill(-Id, signal);
        }
    }

    // Under the lock: the number may belong to another process as soon as the kernel has handed over the status.
    internal void Collect()
    {
        lock (_lock)
        {
            if (ProcessStatus.Collect(Id) is not { } status)
                return;
            var signal = status & 0x7f;
            _exit.TrySetResult(signal == 0 ? (status >> 8) & 0xff : 128 + signal);
        }
    }
}

/// <summary>
/// Starts processes and collects their exit statuses. As PID 1 it also collects the orphans that the kernel hands to init. Nothing else in
/// this program may start or wait for processes.
/// </summary>
internal sealed class Children
{
    private static readonly TimeSpan IdleLook = TimeSpan.FromSeconds(1);

    private readonly object _lock = new();
    private readonly Dictionary<int, Child> _running = [];
    private readonly bool _collectOrphans;

    /// <param name="collectOrphans">True for PID 1: every child is collected, whoever started it.</param>
    public Children(bool collectOrphans)
    {
        _collectOrphans = collectOrphans;
        if (collectOrphans)
            new Thread(CollectAll) { IsBackground = true, Name = "reaper" }.Start();
    }

    /// <summary>Starts a program; see <see cref="Spawn.Start"/>.</summary>
    public Child Start(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, (SafeHandle Out, SafeHandle Error)? output)
    {
        Child child;
        // Held over the start, so that the reaper cannot meet a process that is not in the table yet.
        lock (_lock)
        {
            child = new Child(Spawn.Start(path, arguments, environment, output));
            _running.Add(child.Id, child);
            Monitor.PulseAll(_lock);
        }

        if (!_collectOrphans)
            new Thread(() => CollectOne(child)) { IsBackground = true, Name = $"wait for {child.Id}" }.Start();
        return child;
    }

    /// <summary>Kills every process group that is still running.</summary>
    public void KillAll()
    {
        Child[] children;
        lock (_lock)
            children = [.. _running.Values];
        foreach (var child in children)
            child.Signal(Libc.Sigkill);
    }

    private void CollectAll()
    {
        while (true)
        {
            // Only looks: the status is collected under the child's own lock.
            if (!ProcessStatus.WaitForAnyExit(out var id))
            {
                lock (_lock)
                    Monitor.Wait(_lock, IdleLook);
                continue;
            }

            Child? child;
            lock (_lock)
                _running.Remove(id, out child);
            if (child is null)
                _ = ProcessStatus.Collect(id);
            else
                child.Collect();
        }
    }

    private void CollectOne(Child child)
    {
        ProcessStatus.WaitForExit(child.Id);
        lock (_lock)
            _running.Remove(child.Id);
        child.Collect();
    }
}
