using System.Text;
using Enclaves.Channel.Manifest;
using Enclaves.Orchestrator.Containers;
using Enclaves.Orchestrator.Secrets;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Orchestrator;

/// <summary>A container whose variable comes from a Secret.</summary>
public sealed class SecretTests : IAsyncDisposable
{
    private static readonly ManifestEnv Password = new() { Name = "PASSWORD", Secret = new() { Name = "db", Key = "password" } };

    private readonly TestClock _time = new();
    private readonly ScriptedRuntime _runtime = new();
    private readonly SecretStore _secrets = new();

    public ValueTask DisposeAsync() => _runtime.DisposeAsync();

    [Fact]
    public async Task A_container_waits_for_its_Secret_and_starts_as_soon_as_it_is_there()
    {
        using var worker = Start("Always", Password);
        await Eventually(() => worker.View is { Reason: "CreateContainerConfigError", Phase: ContainerPhase.Waiting });
        worker.View.Message.ShouldBe("variable PASSWORD: there is no key password in a Secret db; create it, which is noticed by itself");
        Put("db", "other", "x");
        await Eventually(() => worker.View.Reason == "CreateContainerConfigError");
        Put("db", "password", "hush");
        await _runtime.NextStartAsync();
        _runtime.Last!.Variables.ShouldBe([new("PASSWORD", "hush")]);
        _runtime.Last.ToString().ShouldNotContain("hush");
        await worker.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_optional_variable_is_left_out_where_there_is_no_Secret()
    {
        using var worker = Start("Always", Password with { Secret = Password.Secret! with { Optional = true } });
        await _runtime.NextStartAsync();
        _runtime.Last!.Variables.ShouldBeEmpty();
        await worker.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("Always")]
    [InlineData("Never")]
    public async Task A_changed_Secret_restarts_what_uses_it_at_once_and_without_a_back_off(string policy)
    {
        Put("db", "password", "one");
        using var worker = Start(policy, Password);
        await _runtime.NextStartAsync();
        foreach (var value in new[] { "two", "three", "four" })
        {
            await Eventually(() => worker.View.Phase == ContainerPhase.Running);
            Put("db", "password", value);
            await _runtime.NextStartAsync();
            _runtime.Last!.Variables.ShouldBe([new("PASSWORD", value)]);
        }

        await Eventually(() => worker.View is { Phase: ContainerPhase.Running, Restarts: 3, LastExit.Kill.Reason: "SecretRotated" });
        worker.View.LastExit!.IsFailure.ShouldBeTrue("it ended by SIGTERM");
        await worker.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_does_not_use_a_changed_value_runs_on()
    {
        Put("db", "password", "one");
        using var user = Start("Always", Password);
        await _runtime.NextStartAsync();
        await Eventually(() => user.View.Phase == ContainerPhase.Running);
        // The same value again, as every new session brings it, beside another one that is new.
        _secrets.Replace(new Dictionary<string, IReadOnlyDictionary<string, byte[]>>
        {
            ["db"] = new Dictionary<string, byte[]> { ["password"] = "one"u8.ToArray(), ["user"] = "new"u8.ToArray() },
        });
        await Task.Delay(200, TestContext.Current.CancellationToken);
        _runtime.Stops.ShouldBe(0);
        await user.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_changed_Secret_ends_the_wait_of_a_container_that_crashed()
    {
        Put("db", "password", "wrong");
        using var worker = Start("Always", Password);
        await _runtime.NextStartAsync();
        _runtime.End(1);
        await _runtime.NextStartAsync();
        _runtime.End(1);
        await Eventually(() => worker.View.Reason == "CrashLoopBackOff");
        Put("db", "password", "right");
        await _runtime.NextStartAsync();
        await worker.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(new byte[] { 0x68, 0x00, 0x69 })]
    [InlineData(new byte[] { 0xff, 0xfe })]
    public async Task A_value_that_no_variable_can_hold_is_named_and_not_shown(byte[] value)
    {
        _secrets.Replace(new Dictionary<string, IReadOnlyDictionary<string, byte[]>> { ["db"] = new Dictionary<string, byte[]> { ["password"] = value } });
        using var worker = Start("Always", Password);
        await Eventually(() => worker.View.Message.Length > 0);
        worker.View.Message.ShouldBe("variable PASSWORD: key password of Secret db is not text without NUL, which a variable must be; mount the Secret as a volume");
        await worker.StopAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
    }

    private void Put(string secret, string key, string value) => _secrets.Replace(new Dictionary<string, IReadOnlyDictionary<string, byte[]>>
    {
        [secret] = new Dictionary<string, byte[]> { [key] = Encoding.UTF8.GetBytes(value) },
    });

    private ContainerWorker Start(string policy, ManifestEnv variable)
    {
        var app = TestManifests.Container("app", policy) with { Env = [variable] };
        var worker = new ContainerWorker(app, _runtime, TestManifests.Inputs(app, _secrets), new Credentials(), _time, NullLogger.Instance, () => { });
        worker.Start();
        return worker;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (var deadline = Environment.TickCount64 + 20_000; !condition(); await Task.Delay(5, TestContext.Current.CancellationToken))
            Environment.TickCount64.ShouldBeLessThan(deadline, "the condition did not come true within 20 s");
    }
}
