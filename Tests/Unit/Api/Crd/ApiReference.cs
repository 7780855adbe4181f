using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Enclaves.Api;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>The API reference: the same types, schema and comments as the CRD's, as one table a type.</summary>
internal sealed class ApiReference
{
    private const string Header = """
        <!-- Written by dev/crd from the types in Api/, and compared with them by a unit test: change those, then run dev/crd. -->
        # The NitroEnclaveDeployment API

        One resource, `NitroEnclaveDeployment` (`ned`), of `k8s.oblv.com/v1alpha1`, in a namespace. `kubectl explain ned.spec` says the same as this
        page; [samples](../samples/README.md) show it at work.

        **Default** is what an object is given that leaves the field out; of a field without one, the meaning says what its absence means. The
        Webhook fills in what depends on the rest of the object: `enclave.hugepageSize`, `strategy`, `service.type` where a plugin has a `hostPort`,
        and our labels. Nothing inside a list is ever filled in. **Allowed** is checked before an object is stored: bounds by the schema, the rest
        by the Webhook, which names every field that is wrong at once.

        """;

    private readonly DocumentationComments _comments = DocumentationComments.Load();
    private readonly SchemaWriter _schema;
    private readonly Queue<Type> _waiting = new();
    private readonly HashSet<Type> _seen = [];
    private readonly StringBuilder _text = new(Header);

    private ApiReference() => _schema = new SchemaWriter(_comments);

    /// <summary>The file that holds it, from the repository's root.</summary>
    public const string Path = "docs/api.md";

    /// <summary>The whole page.</summary>
    public static string Text()
    {
        var page = new ApiReference();
        page.Link(typeof(NitroEnclaveDeployment));
        while (page._waiting.TryDequeue(out var type))
            page.Write(type);
        return page._text.ToString();
    }

    private void Write(Type type)
    {
        _text.Append(CultureInfo.InvariantCulture, $"\n## {type.Name}\n\n{_comments.Of(type)}\n\n");
        _text.Append("| field | type | default | allowed | meaning |\n|---|---|---|---|---|\n");
        foreach (var member in SchemaWriter.Fields(type))
        {
            // The API server's own: it checks them by itself.
            if (type == typeof(NitroEnclaveDeployment) && member.Name is not ("Spec" or "Status"))
                continue;
            var schema = _schema.Property(member);
            var allowed = AllowedValues.Of(schema, _comments.Rules(member));
            _text.Append(CultureInfo.InvariantCulture,
                $"| `{SchemaWriter.JsonName(member)}` | {TypeText(member.PropertyType, schema)} | {Default(type, member, schema)} | {Cell(allowed)} | {Cell(_comments.Meaning(member)!)} |\n");
        }
    }

    private static string Default(Type type, PropertyInfo member, Dictionary<string, object> schema) =>
        SchemaWriter.Required(type).Contains(SchemaWriter.JsonName(member)) ? "*required*"
        : !schema.TryGetValue("default", out var value) ? ""
        : $"`{JsonSerializer.Serialize(value).Trim('"')}`";

    private string TypeText(Type type, Dictionary<string, object> schema)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (schema.ContainsKey("x-kubernetes-int-or-string"))
            return "quantity";
        if (schema.TryGetValue("additionalProperties", out _))
            return "map of strings";
        if (schema.TryGetValue("items", out _))
        {
            var keys = schema.TryGetValue("x-kubernetes-list-map-keys", out var map) ? " by " + string.Join(" and ", ((List<object>)map).Select(key => $"`{key}`")) : "";
            var kind = (string)schema["x-kubernetes-list-type"] == "set" ? "set" : "list";
            var of = TypeText(type.GetGenericArguments()[0], (Dictionary<string, object>)schema["items"]);
            return $"{kind} of {(of == "string" ? "strings" : of)}{keys}";
        }

        return (string)schema["type"] == "object" ? Link(type) : (string)schema["type"];
    }

    // Of Kubernetes' own types the name is enough: they are what they are in a pod.
    private string Link(Type type)
    {
        if (type.Assembly != typeof(NitroEnclaveDeployment).Assembly)
            return $"Kubernetes' {type.Name[2..]}";
        if (_seen.Add(type))
            _waiting.Enqueue(type);
        return $"[{type.Name}](#{type.Name.ToLowerInvariant()})";
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
