using Enclaves.Reconciler.Control;
using Enclaves.Reconciler.Health;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Health;

public sealed class SweptEnclaveTests
{
    private static readonly ObjectKey Pod = new("default", "hello-1");
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_plugin_whose_restarts_rose_is_told_with_how_it_ended()
    {
        var before = Look(SweptEnclave.Unknown, Status(boots: 1, restarts: 2));
        var status = Status(boots: 1, restarts: 5);
        var told = SweptEnclave.Between(Pod, before, Look(before, status), status).ShouldHaveSingleItem();
        told.Reason.ShouldBe("PluginRestarted");
        told.Note.ShouldContain("Plugin web in the enclave of pod default/hello-1");
        told.Note.ShouldContain("3 times since the last look and 5 in all");
        told.Note.ShouldContain("exit code 137 (OOMKilled)");
    }

    [Fact]
    public void Nothing_that_stayed_the_same_is_told_again()
    {
        var status = Status(boots: 2, restarts: 5);
        var before = Look(SweptEnclave.Unknown, status);
        SweptEnclave.Between(Pod, before, Look(before, status), status).ShouldBeEmpty();
    }

    [Fact]
    public void Another_boot_is_told_and_the_counts_that_begin_anew_with_it_are_not()
    {
        var before = Look(SweptEnclave.Unknown, Status(boots: 1, restarts: 0));
        var status = Status(boots: 2, restarts: 1);
        var told = SweptEnclave.Between(Pod, before, Look(before, status), status).ShouldHaveSingleItem();
        told.Reason.ShouldBe("EnclaveBootedAgain");
        told.Note.ShouldContain("boot 2 of its EnclaveHost: it was out of memory");
    }

    [Fact]
    public void Of_the_first_look_and_of_another_life_of_EnclaveHost_nothing_is_told()
    {
        var status = Status(boots: 3, restarts: 9);
        SweptEnclave.Between(Pod, SweptEnclave.Unknown, Look(SweptEnclave.Unknown, status), status).ShouldBeEmpty();
        var before = Look(SweptEnclave.Unknown, Status(boots: 1, restarts: 0));
        var now = before.After(hostRestarts: 1, new EnclaveReport(Now, status, null), isSilenceOurs: false);
        SweptEnclave.Between(Pod, before, now, status).ShouldBeEmpty();
    }

    [Fact]
    public void Silence_between_two_answers_loses_no_restart()
    {
        var before = Look(SweptEnclave.Unknown, Status(boots: 1, restarts: 0));
        var silent = before.After(0, new EnclaveReport(Now, null, "refused"), isSilenceOurs: false);
        var status = Status(boots: 1, restarts: 1);
        SweptEnclave.Between(Pod, silent, Look(silent, status), status).ShouldHaveSingleItem().Reason.ShouldBe("PluginRestarted");
    }

    [Fact]
    public void Three_silent_looks_are_told_and_one_answer_takes_that_back()
    {
        var report = new EnclaveReport(Now, null, "it answered 500");
        var enclave = SweptEnclave.Unknown;
        var troubles = new List<string?>();
        for (var look = 0; look < 5; look++)
        {
            enclave = enclave.After(0, report, isSilenceOurs: false);
            troubles.Add(enclave.Trouble(Pod, report, Now)?.Reason);
        }

        troubles.ShouldBe([null, null, "EnclaveHostSilent", "EnclaveHostSilent", "EnclaveHostSilent"]);
        Look(enclave, Status(1, 0)).Trouble(Pod, new EnclaveReport(Now, Status(1, 0), null), Now).ShouldBeNull();
    }

    [Fact]
    public void Silence_that_is_ours_is_held_against_nobody()
    {
        var report = new EnclaveReport(Now, null, "refused");
        var enclave = SweptEnclave.Unknown;
        for (var look = 0; look < 10; look++)
            enclave = enclave.After(0, report, isSilenceOurs: true);
        enclave.Trouble(Pod, report, Now).ShouldBeNull();
    }

    [Fact]
    public void One_that_says_twice_that_it_is_unhealthy_is_believed()
    {
        var status = Status(1, 0) with { State = "Unhealthy", Transitions = null, Health = new EnclaveHealth(false, "PluginDown", "x") };
        var report = new EnclaveReport(Now, status, null);
        var once = Look(SweptEnclave.Unknown, status);
        once.Trouble(Pod, report, Now).ShouldBeNull();
        var trouble = Look(once, status).Trouble(Pod, report, Now).ShouldNotBeNull();
        trouble.Reason.ShouldBe("EnclaveUnhealthy");
        trouble.Message.ShouldContain("says that it is unhealthy: PluginDown");
    }

    // Whatever an EnclaveHost answers: nulls, empty names, the same name twice.
    [Fact]
    public void Nonsense_is_survived()
    {
        var status = EnclaveStatus.Parse("""{"boots":-1,"transitions":[null],"containers":[null,{},{"name":""},{"name":"a","restarts":1},{"name":"a","restarts":7}]}"""u8);
        var before = Look(SweptEnclave.Unknown with { Boots = 1 }, Status(1, 0));
        SweptEnclave.Between(Pod, before, Look(before, status), status).ShouldBeEmpty();
    }

    private static SweptEnclave Look(SweptEnclave before, EnclaveStatus status) => before.After(0, new EnclaveReport(Now, status, null), isSilenceOurs: false);

    private static EnclaveStatus Status(int boots, uint restarts) => new()
    {
        State = "Running",
        Boots = boots,
        Transitions = [new EnclaveMove("Running", "Starting", "EnclaveEnded", "it was out of memory")],
        Containers = [new PluginStatus { Name = "web", State = "Running", Ready = true, Restarts = restarts, LastTermination = new PluginEnd(137, "OOMKilled", null) }],
    };
}
