using System.Text.Json.Nodes;

namespace Enclaves.Tests.Cluster;

/// <summary>A change that a Reconciler answers with several writes, between any two of which it may be killed.</summary>
/// <param name="Before">The NED that has converged before the change; null when the change creates it.</param>
/// <param name="Change">The change of the NED with this name.</param>
internal sealed record KillScenario(Func<string, JsonObject>? Before, Func<TestNamespace, string, Task> Change)
{
    /// <summary>What happens to the NED while the first write is on its way, or null.</summary>
    public Func<TestNamespace, string, Task>? DuringFirstWrite { get; init; }

    /// <summary>All of them, by what they do.</summary>
    public static readonly IReadOnlyDictionary<string, KillScenario> All = new Dictionary<string, KillScenario>
    {
        ["creation"] = new(null, (space, name) => space.Create(Ned(name))),
        ["another image"] = new(Ned, (space, name) => space.Patch(name, Plugins("2", """,{"containerPort":8081,"hostPort":81}"""))),
        ["ports taken out"] = new(Ned, (space, name) => space.Patch(name, """{"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:1"}]}}""")),
        ["strategy Recreate"] = new(Ned, (space, name) => space.Patch(name, """{"spec":{"strategy":{"type":"Recreate"}}}""")),
        ["scale"] = new(Ned, (space, name) => space.PatchScale("""{"spec":{"replicas":2}}""", name)),
        ["deletion during a pass"] = new(null, (space, name) => space.Create(Ned(name))) { DuringFirstWrite = (space, name) => space.Delete(name) },
        ["deletion during a change"] = new(Ned, (space, name) => space.Patch(name, Plugins("2", ""))) { DuringFirstWrite = (space, name) => space.Delete(name) },
    };

    // Without a revision to go back to, so that the manifest of the one before goes within the scenario.
    private static JsonObject Ned(string name)
    {
        var ned = Neds.Valid(name);
        ned["spec"]!["replicas"] = 0;
        ned["spec"]!["revisionHistoryLimit"] = 0;
        return ned;
    }

    private static string Plugins(string tag, string morePorts) => $$$"""
        {"spec":{"userPlugins":[{"name":"web","image":"registry.example/web:{{{tag}}}","ports":[{"containerPort":8080,"hostPort":80}{{{morePorts}}}]}]}}
        """;
}
