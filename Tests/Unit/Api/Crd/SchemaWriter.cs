using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json.Serialization;
using Enclaves.Api;
using k8s.Models;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>
/// Writes the structural schema of a type: JSON names, types, bounds, enums, defaults and list kinds from its attributes,
/// descriptions from its documentation comments. Only what kube-apiserver 1.20 knows.
/// </summary>
internal sealed class SchemaWriter(DocumentationComments comments)
{
    // Required in Kubernetes' own types, whose C# classes do not say so.
    private static readonly Dictionary<Type, string[]> RequiredOfKubernetes = new()
    {
        [typeof(V1Condition)] = ["lastTransitionTime", "message", "reason", "status", "type"],
        [typeof(V1NodeSelector)] = ["nodeSelectorTerms"],
        [typeof(V1NodeSelectorRequirement)] = ["key", "operator"],
        [typeof(V1LabelSelectorRequirement)] = ["key", "operator"],
        [typeof(V1PodAffinityTerm)] = ["topologyKey"],
        [typeof(V1PreferredSchedulingTerm)] = ["preference", "weight"],
        [typeof(V1WeightedPodAffinityTerm)] = ["podAffinityTerm", "weight"],
        [typeof(V1TopologySpreadConstraint)] = ["maxSkew", "topologyKey", "whenUnsatisfiable"],
    };

    public Dictionary<string, object> Root(Type type)
    {
        var root = Object(type);
        // The API server checks metadata by itself and allows no schema for it.
        var properties = (Dictionary<string, object>)root["properties"];
        properties["apiVersion"] = new Dictionary<string, object> { ["type"] = "string", ["description"] = "Version of the schema, k8s.oblv.com/v1alpha1." };
        properties["kind"] = new Dictionary<string, object> { ["type"] = "string", ["description"] = "NitroEnclaveDeployment." };
        properties["metadata"] = new Dictionary<string, object> { ["type"] = "object" };
        return root;
    }

    private Dictionary<string, object> Object(Type type)
    {
        var schema = new Dictionary<string, object> { ["type"] = "object" };
        if (comments.Of(type) is { } description)
            schema["description"] = description;
        var required = Required(type);
        if (required.Count > 0)
            schema["required"] = required.Cast<object>().ToList();
        schema["properties"] = Fields(type).ToDictionary(JsonName, member => (object)Property(member));
        return schema;
    }

    /// <summary>The properties that are fields of the object.</summary>
    public static IEnumerable<PropertyInfo> Fields(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.GetCustomAttribute<JsonPropertyNameAttribute>() is not null);

    /// <summary>JSON names of the fields that an object must have.</summary>
    public static IReadOnlyList<string> Required(Type type) =>
        RequiredOfKubernetes.GetValueOrDefault(type) ?? [.. Fields(type).Where(member => member.GetCustomAttribute<RequiredAttribute>() is not null).Select(JsonName)];

    /// <summary>Name of a field.</summary>
    public static string JsonName(PropertyInfo member) => member.GetCustomAttribute<JsonPropertyNameAttribute>()!.Name;

    /// <summary>The schema of a field.</summary>
    public Dictionary<string, object> Property(PropertyInfo member)
    {
        var isQuantity = member.GetCustomAttribute<JsonConverterAttribute>()?.ConverterType == typeof(QuantityTextConverter);
        var schema = isQuantity ? IntOrStringSchema() : Value(member.PropertyType);
        if (Description(member) is { } description)
            schema["description"] = description;
        AddBounds(schema, member);
        if (member.GetCustomAttribute<DefaultValueAttribute>() is { Value: { } value })
            schema["default"] = value;
        if (member.GetCustomAttribute<EmptyObjectDefaultAttribute>() is not null)
            schema["default"] = new Dictionary<string, object>();
        AddListKind(schema, member);
        return schema;
    }

    // A field's own description hides that of its type, whose rules hold all the same.
    private string? Description(PropertyInfo member) =>
        comments.Of(member) is { } own && comments.Rules(member.PropertyType) is { } rules ? $"{own} {rules}" : comments.Of(member);

    private static void AddBounds(Dictionary<string, object> schema, PropertyInfo member)
    {
        if (member.GetCustomAttribute<RangeAttribute>() is { } range)
            (schema["minimum"], schema["maximum"]) = (range.Minimum, range.Maximum);
        if (member.GetCustomAttribute<StringLengthAttribute>() is { } length)
            (schema["minLength"], schema["maxLength"]) = (length.MinimumLength, length.MaximumLength);
        if (member.GetCustomAttribute<MaxLengthAttribute>() is { } items)
            schema["maxItems"] = items.Length;
        if (member.GetCustomAttribute<AllowedValuesAttribute>() is { } allowed)
            schema["enum"] = allowed.Values.ToList();
        if (member.GetCustomAttribute<ItemLengthAttribute>() is { } item)
        {
            var of = (Dictionary<string, object>)schema["items"];
            (of["minLength"], of["maxLength"]) = (item.Minimum, item.Maximum);
        }
    }

    private static void AddListKind(Dictionary<string, object> schema, PropertyInfo member)
    {
        if (!schema.TryGetValue("items", out _))
            return;
        if (member.GetCustomAttribute<ListMapKeysAttribute>() is { } map)
        {
            schema["x-kubernetes-list-type"] = "map";
            schema["x-kubernetes-list-map-keys"] = map.Keys.Cast<object>().ToList();
        }
        else
        {
            schema["x-kubernetes-list-type"] = member.GetCustomAttribute<ListSetAttribute>() is null ? "atomic" : "set";
        }
    }

    private Dictionary<string, object> Value(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
            return new() { ["type"] = "string" };
        if (type == typeof(bool))
            return new() { ["type"] = "boolean" };
        if (type == typeof(int))
            return new() { ["type"] = "integer", ["format"] = "int32" };
        if (type == typeof(long))
            return new() { ["type"] = "integer", ["format"] = "int64" };
        if (type == typeof(DateTime))
            return new() { ["type"] = "string", ["format"] = "date-time" };
        if (type == typeof(IntOrString))
            return IntOrStringSchema();
        if (type.IsGenericType && type.GetGenericArguments() is [var key, var of] && key == typeof(string))
            return new() { ["type"] = "object", ["additionalProperties"] = Value(of) };
        if (type.IsGenericType && type.GetGenericArguments() is [var item])
            return new() { ["type"] = "array", ["items"] = Value(item) };
        return type.IsClass ? Object(type) : throw new NotSupportedException($"no schema is known for {type}");
    }

    private static Dictionary<string, object> IntOrStringSchema() => new() { ["x-kubernetes-int-or-string"] = true };
}
