using System.Text.Json.Nodes;
using Enclaves.Api;
using k8s.Models;

namespace Enclaves.Tests.Cluster;

/// <summary>NEDs as tests need them, and what to look at in them.</summary>
internal static class Neds
{
    public const string Name = "hello";

    /// <summary>Why the pods of these NEDs wait: whichever cluster the tests meet, no node of it has what they select.</summary>
    public static readonly string[] WithoutNode = ["NoNodes", "NoMatchingNode"];

    /// <summary>A good NED. No node has what its pods select, so they stay Pending and nothing boots.</summary>
    public static JsonObject Valid(string name = Name) => new()
    {
        ["apiVersion"] = NedNames.ApiVersion,
        ["kind"] = NedNames.Kind,
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["enclave"] = new JsonObject { ["cpuCount"] = 2, ["memory"] = "1Gi" },
            ["template"] = new JsonObject { ["nodeSelector"] = new JsonObject { ["k8s.oblv.com/test"] = "nowhere" } },
            ["userPlugins"] = new JsonArray(new JsonObject
            {
                ["name"] = "web",
                ["image"] = "registry.example/web:1",
                ["ports"] = new JsonArray(new JsonObject { ["containerPort"] = 8080, ["hostPort"] = 80 }),
            }),
        },
    };

    public static JsonNode Condition(this JsonObject ned, string type) =>
        ned["status"]!["conditions"]!.AsArray().Single(condition => (string?)condition!["type"] == type)!;

    public static string ConditionText(this JsonObject ned, string type) =>
        $"{ned.Condition(type)["status"]} {ned.Condition(type)["reason"]}";

    public static string Uid(this JsonObject ned) => (string)ned["metadata"]!["uid"]!;

    public static bool IsControlledBy(this V1ObjectMeta metadata, JsonObject ned) =>
        metadata.OwnerReferences?.SingleOrDefault() is { Controller: true, BlockOwnerDeletion: true } owner
        && owner.Uid == ned.Uid() && owner.Kind == NedNames.Kind && owner.ApiVersion == NedNames.ApiVersion;
}
