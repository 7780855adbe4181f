namespace Enclaves.Api;

/// <summary>In the CRD the list is a map: items are told apart by these fields, which are required and unique together.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListMapKeysAttribute(params string[] keys) : Attribute
{
    /// <summary>JSON names of the fields.</summary>
    public IReadOnlyList<string> Keys { get; } = keys;
}

/// <summary>In the CRD the list is a set: no item may occur twice.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ListSetAttribute : Attribute;

/// <summary>In the CRD the object's default is {}, so that the defaults of its fields apply where it is absent.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EmptyObjectDefaultAttribute : Attribute;

/// <summary>Length of each string of a list.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ItemLengthAttribute(int minimum, int maximum) : Attribute
{
    /// <summary>Fewest characters.</summary>
    public int Minimum { get; } = minimum;

    /// <summary>Most characters.</summary>
    public int Maximum { get; } = maximum;
}
