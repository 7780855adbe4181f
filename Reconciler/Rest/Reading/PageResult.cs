using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace Enclaves.Reconciler.Rest.Reading;

/// <summary>A page of NEDs as an answer: put together of what each item has been written as before.</summary>
internal sealed class PageResult(IReadOnlyList<NedView> page, int remaining) : IResult
{
    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var more = remaining > 0 ? $",\"continue\":\"{ListQuery.TokenAfter(page[^1].Key)}\"" : "";
        var end = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"]{more},\"remaining\":{remaining}}}"));
        var begin = "{\"items\":["u8.ToArray();
        var length = begin.Length + end.Length + Math.Max(0, page.Count - 1);
        foreach (var view in page)
            length += view.Json.Length;
        httpContext.Response.ContentType = "application/json; charset=utf-8";
        httpContext.Response.ContentLength = length;
        var body = httpContext.Response.BodyWriter;
        body.Write(begin);
        await WriteItemsAsync(body, httpContext.RequestAborted);
        body.Write(end);
        await body.FlushAsync(httpContext.RequestAborted);
    }

    private async Task WriteItemsAsync(PipeWriter body, CancellationToken cancellation)
    {
        const int flushBytes = 64 * 1024;
        var unflushed = 0;
        for (var index = 0; index < page.Count; index++)
        {
            if (index > 0)
                body.Write(","u8);
            body.Write(page[index].Json.Span);
            unflushed += page[index].Json.Length;
            // As fast as the other side reads, and no further ahead of it.
            if (unflushed < flushBytes)
                continue;
            unflushed = 0;
            await body.FlushAsync(cancellation);
        }
    }
}
