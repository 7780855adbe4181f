using System.Text.Json.Nodes;
using Enclaves.Api;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Reconciling.Children;

/// <summary>The Service that leads to the plugins' exposed ports.</summary>
internal static class EnclaveService
{
    /// <summary>The fields to apply, or null when the NED wants no Service.</summary>
    public static JsonObject? Fields(LiveObject live, NitroEnclaveDeployment ned)
    {
        var ports = ExposedPort.Of(ned.Spec);
        var service = ned.Spec.Service;
        if (ports.Count == 0 || service?.Type == ServiceTypes.None)
            return null;
        var body = ChildMetadata.Body(ResourceKind.Service, live.Key.Name, live);
        var metadata = body["metadata"]!.AsObject();
        metadata["labels"] = ChildMetadata.Object(NedNames.ChildLabels(live.Key.Name), service?.Labels);
        if (service?.Annotations is { Count: > 0 } annotations)
            metadata["annotations"] = ChildMetadata.Object(annotations);
        body["spec"] = new JsonObject
        {
            ["type"] = service?.Type ?? ServiceTypes.ClusterIP,
            ["selector"] = EnclaveDeployment.Selector(live.Key.Name),
            ["ports"] = new JsonArray([.. ports.Select(Port)]),
        };
        return body;
    }

    // The protocol is a key of the list under server-side apply, so it is never left to the default.
    private static JsonNode Port(ExposedPort port) => new JsonObject
    {
        ["name"] = port.Name,
        ["port"] = port.HostPort,
        ["protocol"] = "TCP",
        ["targetPort"] = port.IngressPort,
    };
}
