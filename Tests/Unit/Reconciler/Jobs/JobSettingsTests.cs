using Enclaves.Reconciler;
using Enclaves.Reconciler.Jobs;
using Microsoft.Extensions.Configuration;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler.Jobs;

public sealed class JobSettingsTests
{
    [Fact]
    public void By_default_there_are_jobs_in_memory_and_no_timer()
    {
        var settings = Read();
        settings.Jobs.Enabled.ShouldBeTrue();
        settings.Jobs.KeepsHistory.ShouldBeFalse();
        settings.ResyncTimer.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Without_jobs_a_timer_looks_at_every_NED() => Read("--jobs:enabled", "false").ResyncTimer.ShouldBe(TimeSpan.FromMinutes(10));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("00:00:05", 5)]
    public void A_timer_that_is_asked_for_runs_beside_the_jobs(string resync, int seconds) =>
        Read("--resync", resync).ResyncTimer.ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("resync", "*/5 * * * *")]
    [InlineData("healthSweep", "*/15 * * * * *")]
    [InlineData("manifests", "")]
    public void A_schedule_has_five_fields_or_six_or_none(string job, string schedule) => Should.NotThrow(() => Read($"--jobs:{job}={schedule}"));

    [Theory]
    [InlineData("resync", "often")]
    [InlineData("healthSweep", "61 * * * * *")]
    [InlineData("certificates", "* * * *")]
    [InlineData("manifests", "@sometimes")]
    public void Any_other_is_refused_with_its_option(string job, string schedule) =>
        Should.Throw<InvalidOperationException>(() => Read($"--jobs:{job}={schedule}")).Message.ShouldStartWith($"--jobs:{job} \"{schedule}\": ");

    [Fact]
    public void A_connection_string_on_the_command_line_is_refused_and_not_repeated()
    {
        var refused = Should.Throw<InvalidOperationException>(() => Read("--jobs:postgres", "Host=db;Password=hunter2"));
        refused.Message.ShouldContain("ENCLAVES_JOBS__POSTGRES");
        refused.Message.ShouldNotContain("hunter2");
    }

    [Theory]
    [InlineData("Password=hunter2")]
    [InlineData("Host=db;Passwort=hunter2")]
    [InlineData("Host=db;Port=hunter2")]
    public void One_that_cannot_be_read_is_refused_and_not_repeated(string connection)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["jobs:postgres"] = connection }).Build();
        var refused = Should.Throw<InvalidOperationException>(() => ReconcilerSettings.Read(configuration));
        refused.Message.ShouldContain("ENCLAVES_JOBS__POSTGRES");
        refused.ToString().ShouldNotContain("hunter2");
    }

    [Theory]
    [InlineData("")]
    [InlineData("Enclaves")]
    [InlineData("a\"b")]
    [InlineData("1a")]
    public void A_schema_needs_no_quotation_marks(string schema) =>
        Should.Throw<InvalidOperationException>(() => Read($"--jobs:schema={schema}")).Message.ShouldStartWith("--jobs:schema");

    private static ReconcilerSettings Read(params string[] arguments) => ReconcilerSettings.Read(new ConfigurationBuilder().AddCommandLine(arguments).Build());
}
