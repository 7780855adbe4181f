using Enclaves.EnclaveHost.Otlp;
using Enclaves.EnclaveHost.Otlp.V1;
using Shouldly;
using Xunit;

namespace Enclaves.Tests.Unit;

public sealed class OtlpAnswerTests
{
    [Theory]
    [InlineData(0, "", "")]
    [InlineData(0, "use a newer version", "")]
    [InlineData(3, "too old", "3 records rejected: too old")]
    [InlineData(3, "", "3 records rejected: ")]
    [InlineData(-1, "nonsense", "")]
    public void What_a_collector_says_beside_taking_a_request_loses_only_what_it_rejects(long rejected, string message, string problem)
    {
        var answer = OtlpAnswer.Of(new ExportLogsServiceResponse { PartialSuccess = new() { RejectedLogRecords = rejected, ErrorMessage = message } });
        answer.ShouldBe(new OtlpAnswer(OtlpOutcome.Taken, Math.Max(0, rejected), problem, TimeSpan.Zero));
    }

    [Fact]
    public void An_answer_without_a_word_is_all_taken() => OtlpAnswer.Of(new()).ShouldBe(new OtlpAnswer(OtlpOutcome.Taken, 0, "", TimeSpan.Zero));
}
