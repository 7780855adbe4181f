using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Enclaves.Tests.Unit.Webhook.Fuzz;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit.Webhook.Serving;

/// <summary>What nobody should send, over HTTPS to the real program: each is answered with a reason, none with a 5xx, and it goes on serving.</summary>
public sealed class BadInputTests(WebhookProcess webhook) : IClassFixture<WebhookProcess>, IAsyncLifetime
{
    private const int Cap = 7 * 1024 * 1024;

    private const string Validate = "/validate-k8s-oblv-com-v1alpha1-nitroenclavedeployment";

    public static TheoryData<string> Paths => new(FuzzCorpus.Reviews.Select(start => start.Point.Path).Distinct());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        (await webhook.Client.GetStringAsync(new Uri(webhook.Http, "/livez"))).ShouldBe("ok\n");
        webhook.Log.Split('\n').Where(line => line.Contains("this is a defect", StringComparison.Ordinal)).ShouldBeEmpty();
        webhook.PeakMemory.ShouldBeLessThan(WebhookProcess.MemoryLimit);
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("{", "not JSON")]
    [InlineData("{\"a\":1}}", "not JSON")]
    [InlineData("{'a':1}", "not JSON")]
    [InlineData("apiVersion: v1", "not JSON")]
    [InlineData("{\"a\":01}", "not JSON")]
    [InlineData("{\"a\":NaN}", "not JSON")]
    [InlineData("{\"apiVersion\":\"admission.k8s.io/v1\",\"apiVersion\":\"v1\"}", "not JSON")]
    [InlineData("[]", "an AdmissionReview is required")]
    [InlineData("null", "an AdmissionReview is required")]
    [InlineData("{}", "understood is admission.k8s.io/v1 AdmissionReview")]
    [InlineData("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1beta1\",\"request\":{\"uid\":\"1\"}}", "understood is admission.k8s.io/v1 AdmissionReview")]
    [InlineData("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v2\"}", "understood is admission.k8s.io/v1 AdmissionReview")]
    [InlineData("{\"kind\":\"Pod\",\"apiVersion\":\"v1\"}", "understood is admission.k8s.io/v1 AdmissionReview")]
    [InlineData("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\"}", "request: is missing")]
    [InlineData("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":null}", "request: is missing")]
    [InlineData("{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{}}", "request.uid")]
    public async Task What_is_no_review_is_refused_with_a_reason(string body, string reason)
    {
        foreach (var path in Paths)
            IsRefused(await Post(path, Json(body)), 400, reason);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/yaml")]
    [InlineData("application/vnd.kubernetes.protobuf")]
    public async Task Another_content_type_is_refused(string? type)
    {
        var content = new ByteArrayContent(FuzzCorpus.Reviews[0].Review);
        content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        IsRefused(await Post(FuzzCorpus.Reviews[0].Point.Path, content), 415, "application/json");
    }

    [Fact]
    public async Task A_content_type_may_name_its_characters()
    {
        var content = new ByteArrayContent(FuzzCorpus.Reviews[0].Review);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/json; charset=utf-8");
        (await Post(FuzzCorpus.Reviews[0].Point.Path, content)).Code.ShouldBe(200);
    }

    [Fact]
    public async Task A_review_of_7_MiB_is_still_decided_on()
    {
        var review = Review();
        var annotations = review["request"]!["object"]!["metadata"]!["annotations"]!.AsObject();
        annotations["x"] = "";
        annotations["x"] = new string('a', Cap - Encoding.UTF8.GetByteCount(review.ToJsonString()));
        var bytes = Encoding.UTF8.GetBytes(review.ToJsonString());
        bytes.Length.ShouldBe(Cap);
        (await Post(Validate, Json(bytes))).Code.ShouldBe(200);
    }

    [Theory]
    [InlineData(Cap + 1, false)]
    [InlineData(Cap + 1, true)]
    [InlineData(int.MaxValue, false)]
    public async Task A_larger_body_is_refused_whether_its_length_is_told_or_not(int length, bool isChunked)
    {
        foreach (var path in Paths)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(webhook.Https, path)) { Content = new Spaces(length, isChunked) };
            request.Headers.ExpectContinue = true;
            using var answer = await webhook.Client.SendAsync(request, Cancellation);
            ((int)answer.StatusCode).ShouldBe(413);
            answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        }
    }

    [Fact]
    public async Task Many_large_bodies_at_once_do_not_add_up()
    {
        // Half of them with as many values as are read, and half with as many as fit in.
        var bodies = Enumerable.Range(0, 24).Select(i => Post(Validate, Json(Dense(i % 2 == 0 ? 740_000 : Cap))));
        foreach (var ((code, answer), i) in (await Task.WhenAll(bodies)).Select((got, i) => (got, i)))
        {
            if (i % 2 == 0)
                (code, answer["response"]!["allowed"]!.GetValue<bool>()).ShouldBe((200, false));
            else
                IsRefused((code, answer), 413, "too many values");
        }
    }

    [Theory]
    [InlineData(100, 200)]
    [InlineData(300, 400)]
    [InlineData(100_000, 400)]
    public async Task Nesting_is_bounded(int depth, int code)
    {
        foreach (var (point, review) in FuzzCorpus.Reviews.DistinctBy(start => start.Point.Path))
        {
            var nested = string.Concat(Enumerable.Repeat("{\"a\":[", depth / 2)) + "1" + string.Concat(Enumerable.Repeat("]}", depth / 2));
            var body = Encoding.UTF8.GetString(review).Replace("\"metadata\":{", $"\"newer\":{nested},\"metadata\":{{", StringComparison.Ordinal);
            (await Post(point.Path, Json(body))).Code.ShouldBe(code);
        }
    }

    [Fact]
    public async Task A_huge_list_is_refused_before_its_items_are_looked_at()
    {
        var review = Review();
        review["request"]!["object"]!["spec"]!["userPlugins"] = new JsonArray([.. Enumerable.Range(0, 100_000).Select(_ => new JsonObject())]);
        review["request"]!["object"]!["spec"]!["enclave"] = null;
        var (code, answer) = await Post(Validate, Json(review.ToJsonString()));
        code.ShouldBe(200);
        ((string)answer["response"]!["status"]!["message"]!).ShouldBe("spec: has 100002 items in its lists, allowed are 20000");
    }

    [Fact]
    public async Task A_long_list_is_refused_with_a_bounded_answer()
    {
        var review = Review();
        review["request"]!["object"]!["spec"]!["userPlugins"] = new JsonArray([.. Enumerable.Range(0, 19_990).Select(_ => new JsonObject())]);
        var (code, answer) = await Post(Validate, Json(review.ToJsonString()));
        code.ShouldBe(200);
        answer["response"]!["status"]!["details"]!["causes"]!.AsArray().Count.ShouldBe(100);
        answer.ToJsonString().Length.ShouldBeLessThan(100_000);
    }

    [Fact]
    public async Task A_name_given_twice_is_refused_wherever_it_stands()
    {
        foreach (var (point, review) in FuzzCorpus.Reviews.DistinctBy(start => start.Point.Path))
        {
            var body = Encoding.UTF8.GetString(review).Replace("\"metadata\":{", "\"metadata\":{\"name\":\"other\",\"name\":\"demo\",", StringComparison.Ordinal);
            IsRefused(await Post(point.Path, Json(body)), 400, "uplicate");
        }
    }

    [Fact]
    public async Task Nothing_of_a_wrong_type_anywhere_makes_it_fail()
    {
        string[] others = ["null", "true", "-1", "1e400", "\"\"", "[]", "{}", "[null]"];
        var sent = 0;
        foreach (var (point, bytes) in FuzzCorpus.Reviews)
        {
            foreach (var path in Places(JsonNode.Parse(bytes)!).ToList())
            {
                var review = JsonNode.Parse(bytes)!;
                Replace(review, path, JsonNode.Parse(others[sent++ % others.Length]));
                var (code, _) = await Post(point.Path, Json(review.ToJsonString()));
                code.ShouldBeOneOf(200, 400);
            }
        }

        sent.ShouldBeGreaterThan(500);
    }

    [Theory]
    [InlineData("ｈｅｌｌｏ")]
    [InlineData("hеllo")]
    [InlineData("hello\u200b")]
    [InlineData("\u202eolleh")]
    [InlineData("he\u0301llo")]
    [InlineData("İ")]
    [InlineData("hello\u0000")]
    [InlineData("hello\n")]
    [InlineData("😀")]
    [InlineData("..")]
    [InlineData("a/../b")]
    public async Task Names_that_only_look_like_names_are_refused_with_their_path(string name)
    {
        var review = Review();
        review["request"]!["object"]!["metadata"]!["name"] = name;
        review["request"]!["object"]!["spec"]!["userPlugins"]![0]!["name"] = name;
        var (code, answer) = await Post(Validate, Json(review.ToJsonString()));
        code.ShouldBe(200);
        answer["response"]!["status"]!["details"]!["causes"]!.AsArray().Select(cause => (string)cause!["field"]!)
            .ShouldBe(["metadata.name", "spec.userPlugins[0].name"], ignoreOrder: true);
    }

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\\udc00\\ud800")]
    public async Task Half_a_character_is_refused(string name)
    {
        var review = Review().ToJsonString().Replace("\"demo\"", $"\"{name}\"", StringComparison.Ordinal);
        IsRefused(await Post(Validate, Json(review)), 400, "Unicode");
    }

    [Theory]
    [InlineData("CREATE", true)]
    [InlineData("DELETE", false)]
    [InlineData("CONNECT", false)]
    public async Task Requests_without_a_name_or_an_object_are_decided_on(string operation, bool hasObject)
    {
        foreach (var (point, bytes) in FuzzCorpus.Reviews.DistinctBy(start => start.Point.Path))
        {
            var request = JsonNode.Parse(bytes)!;
            var of = request["request"]!.AsObject();
            of["operation"] = operation;
            of.Remove("name");
            of["object"]!["metadata"]!.AsObject().Remove("name");
            of["object"]!["metadata"]!["generateName"] = "demo-";
            if (!hasObject)
                of["object"] = null;
            var (code, answer) = await Post(point.Path, Json(request.ToJsonString()));
            (code, answer["response"]!["allowed"]!.GetValue<bool>()).ShouldBe((200, true), answer.ToJsonString());
        }
    }

    [Fact]
    public async Task A_dry_run_is_answered_as_the_run_itself()
    {
        foreach (var (point, bytes) in FuzzCorpus.Reviews)
        {
            var dry = JsonNode.Parse(bytes)!;
            dry["request"]!["dryRun"] = true;
            var wet = dry.DeepClone();
            wet["request"]!["dryRun"] = false;
            (await Post(point.Path, Json(dry.ToJsonString()))).Answer.ToJsonString()
                .ShouldBe((await Post(point.Path, Json(wet.ToJsonString()))).Answer.ToJsonString());
        }
    }

    [Fact]
    public async Task Another_method_another_path_and_the_plain_port_decide_on_nothing()
    {
        (await Status(HttpMethod.Get, new Uri(webhook.Https, Validate))).ShouldBe(HttpStatusCode.MethodNotAllowed);
        (await Status(HttpMethod.Put, new Uri(webhook.Https, Validate))).ShouldBe(HttpStatusCode.MethodNotAllowed);
        (await Status(HttpMethod.Post, new Uri(webhook.Https, "/validate"))).ShouldBe(HttpStatusCode.NotFound);
        (await Status(HttpMethod.Post, new Uri(webhook.Http, Validate))).ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task<HttpStatusCode> Status(HttpMethod method, Uri address)
    {
        using var request = new HttpRequestMessage(method, address) { Content = Json("{}") };
        using var answer = await webhook.Client.SendAsync(request, Cancellation);
        return answer.StatusCode;
    }

    private async Task<(int Code, JsonNode Answer)> Post(string path, HttpContent content)
    {
        using var answer = await webhook.Client.PostAsync(new Uri(webhook.Https, path), content, Cancellation);
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!);
    }

    private static void IsRefused((int Code, JsonNode Answer) got, int code, string reason)
    {
        got.Code.ShouldBe(code, got.Answer.ToJsonString());
        ((string)got.Answer["kind"]!).ShouldBe("Status");
        ((int)got.Answer["code"]!).ShouldBe(code);
        ((string)got.Answer["message"]!).ShouldContain(reason, Case.Sensitive);
    }

    // One that is valid.
    private static JsonNode Review() => JsonNode.Parse(FuzzCorpus.Reviews.First(start => start.Point.Path == Validate).Review)!;

    // As many small values as a body can hold: they take the most memory once read.
    private static byte[] Dense(int length)
    {
        var review = Review();
        review["request"]!["object"]!["spec"]!["userPlugins"] = new JsonArray("x");
        var text = review.ToJsonString();
        return Encoding.UTF8.GetBytes(text.Replace("[\"x\"]", "[" + string.Concat(Enumerable.Repeat("{},", (length - text.Length) / 3 - 1)) + "{}]", StringComparison.Ordinal));
    }

    private static ByteArrayContent Json(byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private static ByteArrayContent Json(string body) => Json(Encoding.UTF8.GetBytes(body));

    private static IEnumerable<object[]> Places(JsonNode? node, params object[] at)
    {
        var children = node switch
        {
            JsonObject members => members.Select(member => ((object)member.Key, member.Value)),
            JsonArray items => items.Select((item, i) => ((object)i, item)),
            _ => [],
        };
        return children.SelectMany(child => Places(child.Item2, [.. at, child.Item1]).Prepend([.. at, child.Item1]));
    }

    private static void Replace(JsonNode root, object[] path, JsonNode? value)
    {
        var parent = path[..^1].Aggregate(root, (node, step) => step is int i ? node[i]! : node[(string)step]!);
        if (path[^1] is int index)
            parent[index] = value;
        else
            parent[(string)path[^1]] = value;
    }

    // A body of spaces, which no JSON ends.
    private sealed class Spaces : HttpContent
    {
        private static readonly byte[] Chunk = [.. Enumerable.Repeat((byte)' ', 64 * 1024)];
        private readonly int _length;
        private readonly bool _isChunked;

        public Spaces(int length, bool isChunked)
        {
            (_length, _isChunked) = (length, isChunked);
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var left = _length; left > 0; left -= Chunk.Length)
                await stream.WriteAsync(Chunk.AsMemory(0, Math.Min(left, Chunk.Length)));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _length;
            return !_isChunked;
        }
    }
}
