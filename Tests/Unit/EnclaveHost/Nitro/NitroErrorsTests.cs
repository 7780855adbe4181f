using System.Text;
using Enclaves.EnclaveHost.Drivers.Nitro;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Nitro;

public sealed class NitroErrorsTests
{
    [Fact]
    public void Every_number_up_to_60_is_in_its_place_with_a_sentence_and_a_next_step()
    {
        NitroErrors.All.Select(error => error.Code).ShouldBe(Enumerable.Range(0, 61));
        foreach (var error in NitroErrors.All)
        {
            error.Name.ShouldNotBeNullOrWhiteSpace();
            error.What.Length.ShouldBeGreaterThan(10, error.Text);
            error.How.Length.ShouldBeGreaterThan(10, error.Text);
            (error.What + error.How).ShouldNotContain(". ", Case.Sensitive, $"{error.Text} is one sentence with a next step, without full stops");
        }

        NitroErrors.All.Select(error => error.Name).ShouldBeUnique();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(61)]
    public void Other_numbers_are_not_known(int code) => NitroErrors.Find(code).ShouldBeNull();

    [Fact]
    public void The_page_of_the_documentation_is_this_table()
    {
        var path = Repository.PathOf("docs/nitro-errors.md");
        var text = File.ReadAllText(path);
        var table = Table();
        var begins = text.IndexOf("| code |", StringComparison.Ordinal);
        begins.ShouldBeGreaterThan(0);
        if (Environment.GetEnvironmentVariable("ENCLAVES_WRITE_GOLDEN") == "true")
            File.WriteAllText(path, text[..begins] + table);
        else
            text[begins..].ShouldBe(table, "write it anew with ENCLAVES_WRITE_GOLDEN=true");
    }

    private static string Table()
    {
        var table = new StringBuilder("| code | error | what has happened | whose | next step |\n|---|---|---|---|---|\n");
        foreach (var error in NitroErrors.All)
            table.Append($"| {error.Text} | {error.Name} | {error.What} | {Whose(error.Mender)} | {error.How} |\n");
        return table.ToString();
    }

    private static string Whose(NitroMender mender) => mender switch
    {
        NitroMender.Retry => "passes",
        NitroMender.Spec => "the NED's author",
        NitroMender.Node => "the node's operator",
        _ => "the image's maker",
    };
}
