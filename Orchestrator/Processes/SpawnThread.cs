namespace Enclaves.Orchestrator.Processes;

/// <summary>
/// One thread that lives as long as the program and starts the processes which are to die with it: the kernel's signal on the parent's
/// death is bound to the thread that started the child, and threads of the pool come and go.
/// </summary>
internal sealed class SpawnThread
{
    private readonly object _lock = new();
    private readonly Queue<Action> _work = new();

    public SpawnThread() => new Thread(Loop) { IsBackground = true, Name = "spawn" }.Start();

    /// <summary>Runs the function on the thread and returns its result or its exception.</summary>
    public Task<T> RunAsync<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _work.Enqueue(() => Settle(function, result));
            Monitor.Pulse(_lock);
        }

        return result.Task;
    }

    private static void Settle<T>(Func<T> function, TaskCompletionSource<T> result)
    {
        try
        {
            result.SetResult(function());
        }
        catch (Exception e)
        {
            result.SetException(e);
        }
    }

    private void Loop()
    {
        while (true)
        {
            Action? action;
            lock (_lock)
            {
                while (!_work.TryDequeue(out action))
                    Monitor.Wait(_lock);
            }

            action();
        }
    }
}
