using System.Globalization;
using System.Text;
using Enclaves.Reconciler.Cluster;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Reconciler;

public sealed class ListItemsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1_000_000)]
    public async Task Items_are_read_however_the_stream_is_cut(int piece)
    {
        var names = Enumerable.Range(0, 300).Select(i => string.Create(CultureInfo.InvariantCulture, $"n{i}")).ToList();
        var items = string.Join(',', names.Select(name => $$$"""{"metadata":{"name":"{{{name}}}","notes":["]","}"]}}"""));
        var list = await Read($$$"""{"kind":"PodList","metadata":{"resourceVersion":"42","continue":"more"},"items":[{{{items}}}],"other":{"items":[1]}}""", piece);
        list.Items.Select(item => item.Key.Name).ShouldBe(names);
        (list.Version, list.Continue).ShouldBe(("42", "more"));
    }

    [Fact]
    public async Task A_list_may_be_empty_or_null_and_its_metadata_may_come_last()
    {
        (await Read("""{"items":[],"metadata":{"resourceVersion":"1"}}""", 5)).Version.ShouldBe("1");
        (await Read("""{"items":null,"metadata":{"resourceVersion":"2"}}""", 5)).Version.ShouldBe("2");
    }

    [Theory]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"a"}}""")]
    [InlineData("""{"metadata":{"resourceVersion":"1"},"items":[]""")]
    [InlineData("")]
    [InlineData("<html>")]
    public async Task What_is_cut_off_or_no_list_is_refused(string body) => await Should.ThrowAsync<InvalidDataException>(() => Read(body, 16));

    private static async Task<ListItems<LiveObject>> Read(string body, int piece)
    {
        var list = new ListItems<LiveObject>(item => LiveObject.From(item));
        await list.ReadAsync(new Pieces(Encoding.UTF8.GetBytes(body), piece), Cancellation);
        return list;
    }

    private sealed class Pieces(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, piece)], cancellationToken);
    }
}
