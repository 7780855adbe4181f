using System.Text.Json;

namespace Enclaves.Tests.Cluster.Chaos;

/// <summary>
/// Finds children that a Reconciler has made a second time for the same NED. One that it has deleted itself in between, as a Service
/// that is wanted again, may come back.
/// </summary>
internal sealed class CreationAudit
{
    private static readonly string[] Children = ["/configmaps/", "/deployments/", "/services/"];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<string>> _owners = [];
    private readonly List<string> _twice = [];

    public IReadOnlyList<string> Twice
    {
        get
        {
            lock (_lock)
                return [.. _twice];
        }
    }

    /// <summary>Looks at all that goes through this proxy.</summary>
    public void Watch(ApiProxy proxy)
    {
        proxy.Created = Created;
        proxy.AfterWrite = what =>
        {
            if (what.StartsWith("DELETE ", StringComparison.Ordinal))
                Deleted(what[(what.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
            return Task.CompletedTask;
        };
    }

    private void Created(string what, ReadOnlyMemory<byte> reply)
    {
        var path = what[(what.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        if (!Children.Any(kind => path.Contains(kind, StringComparison.Ordinal)))
            return;
        using var document = JsonDocument.Parse(reply);
        var owner = document.RootElement.GetProperty("metadata").GetProperty("ownerReferences")[0].GetProperty("uid").GetString()!;
        lock (_lock)
        {
            if (!_owners.TryGetValue(path, out var owners))
                _owners[path] = owners = [];
            if (!owners.Add(owner))
                _twice.Add($"{path} for the NED {owner}");
        }
    }

    private void Deleted(string path)
    {
        lock (_lock)
            _owners.Remove(path);
    }
}
