using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart.Argo;

public sealed class HealthTests
{
    private const string Folder = "docs/argocd";

    public static TheoryData<string> Cases => new(HealthCase.All.Select(item => item.Name));

    public static TheoryData<string> Expectations => new(Expected().Select(test => (string)test["inputPath"]!));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_test_data_is_what_the_reconciler_writes(string name)
    {
        var path = Repository.Path($"{Folder}/testdata/{name}.yaml");
        var text = HealthCaseYaml.Text(HealthCase.All.Single(item => item.Name == name));
        if (Repository.IsWriting)
            await File.WriteAllTextAsync(path, text, TestContext.Current.CancellationToken);
        File.Exists(path).ShouldBeTrue($"{path} is missing: {Repository.HowToWrite}");
        text.ShouldBe(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), Repository.HowToWrite);
    }

    [Fact]
    public void Every_file_of_test_data_is_written_and_has_its_expectation()
    {
        var files = Directory.EnumerateFiles(Repository.Path($"{Folder}/testdata")).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal).ToList();
        files.ShouldBe(HealthCase.All.Select(item => item.Name + ".yaml").Order(StringComparer.Ordinal));
        Expected().Select(test => (string)test["inputPath"]!).Order(StringComparer.Ordinal).ShouldBe(files.Select(file => "testdata/" + file));
    }

    [Theory]
    [MemberData(nameof(Expectations))]
    public async Task Argo_shows_the_health_that_is_expected(string file)
    {
        var expected = Expected().Single(test => (string?)test["inputPath"] == file)["healthStatus"]!;
        (await LuaHealth.Of(Yaml.One(Repository.Read($"{Folder}/{file}"))))
            .ShouldBe(new Health((string)expected["status"]!, (string)expected["message"]!));
    }

    [Fact]
    public void Every_health_that_argo_can_show_of_an_object_is_in_the_test_data() =>
        Expected().Select(test => (string)test["healthStatus"]!["status"]!).Distinct().Order(StringComparer.Ordinal)
            .ShouldBe(["Degraded", "Healthy", "Progressing", "Suspended"]);

    [Fact]
    public async Task An_object_that_is_not_ready_for_no_reason_we_know_is_degraded()
    {
        var item = Healthy();
        var ready = Condition(item, "Ready");
        ready["status"] = "False";
        ready["message"] = "Something new.";
        (await LuaHealth.Of(item)).ShouldBe(new Health("Degraded", "Something new."));
    }

    [Fact]
    public async Task An_object_without_the_condition_ready_is_not_called_healthy()
    {
        var item = Healthy();
        item["status"]!["conditions"]!.AsArray().Remove(Condition(item, "Ready"));
        (await LuaHealth.Of(item)).Status.ShouldBe("Progressing");
    }

    [Fact]
    public async Task A_status_without_a_generation_is_not_believed()
    {
        var item = Healthy();
        item["status"]!.AsObject().Remove("observedGeneration");
        (await LuaHealth.Of(item)).Status.ShouldBe("Progressing");
    }

    [Fact]
    public async Task A_message_is_shown_as_it_is()
    {
        var item = Healthy();
        Condition(item, "Ready")["message"] = "\"quoted\" \\ and ünusual";
        (await LuaHealth.Of(item)).Message.ShouldBe("\"quoted\" \\ and ünusual");
    }

    private static JsonObject Healthy() => HealthCase.All.Single(item => item.Name == "healthy").Object;

    private static JsonNode Condition(JsonNode item, string type) =>
        item["status"]!["conditions"]!.AsArray().Single(condition => (string?)condition!["type"] == type)!;

    private static IEnumerable<JsonNode> Expected() =>
        Yaml.One(Repository.Read($"{Folder}/health_test.yaml"))["tests"]!.AsArray().OfType<JsonNode>();
}
