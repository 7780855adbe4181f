using System.Text.Json;
using Enclaves.Reconciler.Cluster;
using Enclaves.Reconciler.Rest.Reading;
using k8s;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Rest;

/// <summary>The REST API and Argo CD show the same health for the same NED.</summary>
public sealed class NedHealthTests
{
    private static readonly string Folder = Repository.PathOf("docs/argocd");

    public static TheoryData<string, string, string> Cases()
    {
        var data = new TheoryData<string, string, string>();
        var cases = KubernetesYaml.Deserialize<HealthCases>(File.ReadAllText(Path.Combine(Folder, "health_test.yaml"))).Tests;
        foreach (var item in cases)
            data.Add(item.InputPath, item.HealthStatus.Status, item.HealthStatus.Message);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Is_what_the_health_check_of_Argo_CD_says(string path, string health, string message)
    {
        var text = File.ReadAllText(Path.Combine(Folder, path));
        var ned = LiveObject.From(JsonSerializer.SerializeToElement(KubernetesYaml.Deserialize<object>(text) is var tree ? Json(tree) : null))!;
        var item = NedReader.Item(ned);
        item.Health.ToString().ShouldBe(health);
        item.Message.ShouldBe(message);
    }

    // Of what the YAML reader gives, numbers and words that are written plainly are numbers and words again.
    private static object? Json(object? value) => value switch
    {
        IDictionary<object, object> members => members.ToDictionary(member => $"{member.Key}", member => Json(member.Value)),
        IEnumerable<object> items => items.Select(Json).ToList(),
        string text when long.TryParse(text, out var number) => number,
        "true" => true,
        "false" => false,
        var other => other,
    };

    public sealed class HealthCases
    {
        public List<HealthCase> Tests { get; set; } = [];
    }

    public sealed class HealthCase
    {
        public string InputPath { get; set; } = "";

        public HealthExpected HealthStatus { get; set; } = new();
    }

    public sealed class HealthExpected
    {
        public string Status { get; set; } = "";

        public string Message { get; set; } = "";
    }
}
