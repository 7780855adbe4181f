using Enclaves.Api;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>The CustomResourceDefinition of the API types, as a tree of dictionaries and lists in the order it is written.</summary>
internal static class CrdDocument
{
    public static Dictionary<string, object> Build()
    {
        var schema = new SchemaWriter(DocumentationComments.Load());
        return new Dictionary<string, object>
        {
            ["apiVersion"] = "apiextensions.k8s.io/v1",
            ["kind"] = "CustomResourceDefinition",
            ["metadata"] = new Dictionary<string, object>
            {
                ["name"] = $"{NedNames.Plural}.{NedNames.Group}",
                // Removing the chart must not delete anyone's enclaves.
                ["annotations"] = new Dictionary<string, object> { ["helm.sh/resource-policy"] = "keep" },
                ["labels"] = new Dictionary<string, object> { ["app.kubernetes.io/part-of"] = "enclaves" },
            },
            ["spec"] = new Dictionary<string, object>
            {
                ["group"] = NedNames.Group,
                ["scope"] = "Namespaced",
                ["names"] = Names(),
                ["versions"] = new List<object> { Version(schema) },
            },
        };
    }

    private static Dictionary<string, object> Names() => new()
    {
        ["kind"] = NedNames.Kind,
        ["listKind"] = NedNames.Kind + "List",
        ["plural"] = NedNames.Plural,
        ["singular"] = NedNames.Singular,
        ["shortNames"] = new List<object> { NedNames.ShortName },
        ["categories"] = new List<object> { "all", "enclaves" },
    };

    private static Dictionary<string, object> Version(SchemaWriter schema) => new()
    {
        ["name"] = NedNames.Version,
        ["served"] = true,
        ["storage"] = true,
        ["additionalPrinterColumns"] = new List<object>
        {
            Column("Ready", "string", "Ready and wanted enclaves.", ".status.ready"),
            Column("Age", "date", "Time since the object was created.", ".metadata.creationTimestamp"),
            Column("Status", "string", "Whether the current generation is scheduled.", ".status.status"),
        },
        ["subresources"] = new Dictionary<string, object>
        {
            ["status"] = new Dictionary<string, object>(),
            ["scale"] = new Dictionary<string, object>
            {
                ["specReplicasPath"] = ".spec.replicas",
                ["statusReplicasPath"] = ".status.replicas",
                ["labelSelectorPath"] = ".status.selector",
            },
        },
        ["schema"] = new Dictionary<string, object> { ["openAPIV3Schema"] = schema.Root(typeof(NitroEnclaveDeployment)) },
    };

    private static Dictionary<string, object> Column(string name, string type, string description, string path) => new()
    {
        ["name"] = name,
        ["type"] = type,
        ["description"] = description,
        ["jsonPath"] = path,
    };
}
