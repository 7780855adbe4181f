namespace Enclaves.Tests.Unit.Webhook.Fuzz;

/// <summary>JSON that programs tend not to expect, and bytes that are no text.</summary>
internal static class Fragments
{
    /// <summary>Values of every type, at the edges of what they can hold.</summary>
    public static readonly string[] Values =
    [
        "null", "true", "false", "0", "-0", "-1", "1", "2", "3", "1.5", "65536", "2147483648", "-2147483649", "9223372036854775808", "1e2", "1E400",
        "1e99999999999", "1e-99999999999", "0.1e1", "[]", "{}", "[null]", "[[]]", "[{}]", "[{},null]", "{\"\":\"\"}", "{\"name\":null}",
        "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "\"\"", "\" \"", "\"a\"", "\"A\"", "\"CREATE\"", "\"UPDATE\"", "\"true\"", "\"1Gi\"", "\"1e999999\"",
        "\"9Ei\"", "\"0\"", "\"-1\"", "\"100%\"", "\"a/b~1c\"", "\"..\"", "\"https://x\"", "\"*.x\"", "\"::1\"", "\"1.2.3\"", "\"b:1@sha256:0\"",
        // Half a character, the halves the wrong way round, the end of a C string, a byte order mark, right-to-left, letters that look alike,
        // a letter that changes its length in another case, a line break, HTML as Go escapes it.
        "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"a\\ud83dA\"", "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"\\ufeff\"", "\"\u202Eabc\"", "\"\u0430dmin\"", "\"\u0130\"",
        "\"\\r\\n\"", "\"\\u003c\\u003e\\\\u\\\\\"", "\"e\u0301\"", "\"\u2028\"", "\"\\ud800\\\\udc00\"",
        "\"{}\"", "\"{\\\"cpuCount\\\":null}\"", "\"2026-01-01T00:00:00Z\"", "\"\\\"\"",
    ];

    /// <summary>Names of members; those that mean something somewhere are in the reviews themselves.</summary>
    public static readonly string[] Names =
    [
        "\"\"", "\"object\"", "\"oldObject\"", "\"metadata\"", "\"deletionTimestamp\"", "\"name\"", "\"spec\"", "\"$ref\"", "\"__proto__\"", "\"a/b~c\"",
        "\"\\ud800\"", "\"\\u006eame\"", "\"\\u0000\"", "\"Name\"", "\"n\u0430me\"", "\"finalizers\"", "\"generateName\"", "\"image\"", "\"creationTimestamp\"",
    ];

    /// <summary>What is put between bytes: JSON's own signs, invalid UTF-8, overlong forms, encoded surrogates, a byte order mark.</summary>
    public static readonly byte[][] Bytes =
    [
        [(byte)'"'], [(byte)'\\'], [(byte)'{'], [(byte)'}'], [(byte)'['], [(byte)']'], [(byte)','], [(byte)':'], [0], [0xFF], [0xC0, 0x80],
        [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3], [0xEF, 0xBB, 0xBF], [(byte)'/', (byte)'/'], [(byte)'\\', (byte)'u', (byte)'d', (byte)'8'],
    ];
}
