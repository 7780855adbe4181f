using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Actions;
using Enclaves.Reconciler.Cluster;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Actions;

public sealed class RestartRecordTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_restart_is_remembered_with_what_restarts()
    {
        var deployment = Deployment("");
        RestartRecord.Has(deployment, "a").ShouldBeFalse();
        var fields = RestartRecord.Fields(deployment, "a", new HashSet<string> { "a" }, Now);
        RestartRecord.Has(After(fields), "a").ShouldBeTrue();
        // Of the state that was looked at, and nothing besides.
        ((string?)fields["metadata"]!["uid"]).ShouldBe("u");
        ((string?)fields["metadata"]!["resourceVersion"]).ShouldBe("7");
        fields["spec"]!.ToJsonString().ShouldBe("""{"template":{"metadata":{"annotations":{"k8s.oblv.com/restarted-at":"2026-01-01T00:00:00.0000000Z"}}}}""");
    }

    [Fact]
    public void The_oldest_are_forgotten_and_none_that_waits()
    {
        var waiting = new HashSet<string> { "w" };
        var deployment = Deployment("w");
        for (var number = 0; number < 100; number++)
            deployment = After(RestartRecord.Fields(deployment, $"r{number}", waiting, Now));
        RestartRecord.Has(deployment, "w").ShouldBeTrue();
        RestartRecord.Has(deployment, "r99").ShouldBeTrue();
        RestartRecord.Has(deployment, "r70").ShouldBeTrue();
        RestartRecord.Has(deployment, "r60").ShouldBeFalse();
    }

    [Fact]
    public void Two_in_one_second_are_two()
    {
        static string? At(DateTimeOffset now) =>
            (string?)RestartRecord.Fields(Deployment(""), "a", new HashSet<string>(), now)["spec"]!["template"]!["metadata"]!["annotations"]!["k8s.oblv.com/restarted-at"];
        At(Now).ShouldNotBe(At(Now + TimeSpan.FromMilliseconds(1)));
    }

    private static LiveObject After(JsonObject fields) => Deployment((string)fields["metadata"]!["annotations"]!["k8s.oblv.com/restarts"]!);

    private static LiveObject Deployment(string restarts)
    {
        using var document = JsonDocument.Parse(new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = "hello",
                ["namespace"] = "default",
                ["uid"] = "u",
                ["resourceVersion"] = "7",
                ["annotations"] = new JsonObject { ["k8s.oblv.com/restarts"] = restarts },
            },
        }.ToJsonString());
        return LiveObject.From(document.RootElement.Clone())!;
    }
}
