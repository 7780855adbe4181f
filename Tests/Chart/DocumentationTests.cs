using Shouldly;
using Xunit;

namespace Enclaves.Tests.Chart;

public sealed class DocumentationTests
{
    private const string Readme = "charts/enclaves/README.md";
    private const string Mark = "## Values\n\n";

    public static TheoryData<string> Paths => new(ValuesTree.Leaves(ValuesTree.Defaults).Select(leaf => leaf.Path).Where(path => !path.Contains(".resources.", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_value_is_explained(string path)
    {
        var said = ValuesComments.Read().Single(value => value.Path == path).Comment;
        said.ShouldEndWith(".", Case.Sensitive, $"say above {path} in values.yaml, in a sentence, what it does");
    }

    [Fact]
    public async Task The_readme_lists_every_value()
    {
        var readme = Repository.Read(Readme);
        var text = readme[..(readme.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length)] + ValuesComments.Table();
        if (Repository.IsWriting)
            await File.WriteAllTextAsync(Repository.Path(Readme), text, TestContext.Current.CancellationToken);
        Repository.Read(Readme).ShouldBe(text, Repository.HowToWrite);
    }
}
