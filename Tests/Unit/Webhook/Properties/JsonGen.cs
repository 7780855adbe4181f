using CsCheck;

namespace Enclaves.Tests.Unit.Webhook.Properties;

/// <summary>Generators of JSON, as text: it is what a failure prints, and no node belongs to two trees.</summary>
internal static class JsonGen
{
    /// <summary>What no field expects.</summary>
    public static readonly Gen<string> Anything = Gen.OneOf(
        "null", "true", "7", "-1.5e3", "\"\"", "\"x\"", "[]", "{}", "[null]", "[{}]", "[[1],\"a\"]", "{\"x\":{\"y\":[null]}}", "{\"a/b~c\":\"\\u20ac\"}");

    /// <summary>One of these.</summary>
    public static Gen<string> Of(params string[] values) => Gen.OneOf(values);

    /// <summary>Now and then something else.</summary>
    public static Gen<string> Mostly(this Gen<string> right) => Gen.Frequency((12, right), (1, Anything));

    /// <summary>A list of a few.</summary>
    public static Gen<string> ListOf(Gen<string> item) => item.Array[0, 3].Select(items => $"[{string.Join(',', items)}]");

    /// <summary>An object with some of these members, all well, and now and then one that nobody knows.</summary>
    public static Gen<string> Object(params (string Name, Gen<string> Value)[] members) => Members(members, (1, 1));

    /// <summary>An object with all of these members, and now and then one that nobody knows.</summary>
    public static Gen<string> Full(params (string Name, Gen<string> Value)[] members) => Members(members, (0, 1));

    private static Gen<string> Members((string Name, Gen<string> Value)[] members, (int Absent, int Present) odds) => members
        .Select(member => Gen.Frequency((odds.Absent, Gen.Const("")), (odds.Present, member.Value.Select(value => $"\"{member.Name}\":{value}"))))
        .Append(Gen.Frequency((3, Gen.Const("")), (1, Anything.Select(value => $"\"newer\":{value}"))))
        .Aggregate((all, next) => Gen.Select(all, next, (left, right) => left.Length == 0 ? right : right.Length == 0 ? left : $"{left},{right}"))
        .Select(text => $"{{{text}}}");
}
