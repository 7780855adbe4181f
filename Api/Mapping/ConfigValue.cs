namespace Enclaves.Api;

/// <summary>The value of a key of a ConfigMap: text out of its data, or base64 out of its binaryData.</summary>
/// <param name="Text">The text, or null.</param>
/// <param name="Base64">The base64, or null.</param>
public sealed record ConfigValue(string? Text, string? Base64 = null);

/// <summary>What the ConfigMaps that a spec refers to hold.</summary>
public interface IConfigValues
{
    /// <summary>A value, or null when there is none.</summary>
    ConfigValue? Find(string configMap, string key);

    /// <summary>The keys of a ConfigMap, of data and binaryData; null when it does not exist.</summary>
    IReadOnlyCollection<string>? KeysOf(string configMap);
}
