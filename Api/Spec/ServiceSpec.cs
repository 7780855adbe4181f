using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Enclaves.Api;

/// <summary>The Service that leads to the plugins' ports.</summary>
public sealed record ServiceSpec
{
    /// <summary>Type of the Service; None means no Service.</summary>
    [JsonPropertyName("type")]
    [AllowedValues(ServiceTypes.ClusterIP, ServiceTypes.NodePort, ServiceTypes.LoadBalancer, ServiceTypes.None)]
    [DefaultValue(ServiceTypes.ClusterIP)]
    public string? Type { get; init; }

    /// <summary>Annotations of the Service.</summary>
    [JsonPropertyName("annotations")]
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Labels of the Service besides our own.</summary>
    [JsonPropertyName("labels")]
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
}

/// <summary>Values of <see cref="ServiceSpec.Type"/>.</summary>
public static class ServiceTypes
{
    /// <summary>An address inside the cluster.</summary>
    public const string ClusterIP = "ClusterIP";

    /// <summary>A port of every node as well.</summary>
    public const string NodePort = "NodePort";

    /// <summary>A load balancer of the cloud as well.</summary>
    public const string LoadBalancer = "LoadBalancer";

    /// <summary>No Service.</summary>
    public const string None = "None";
}
