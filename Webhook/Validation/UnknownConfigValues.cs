using Enclaves.Api;

namespace Enclaves.Webhook.Validation;

/// <summary>Admission knows no other objects: every ConfigMap is taken to exist, with every key and nothing in it.</summary>
internal sealed class UnknownConfigValues : IConfigValues
{
    private static readonly ConfigValue Empty = new("");

    /// <summary>The only one.</summary>
    public static UnknownConfigValues Instance { get; } = new();

    /// <inheritdoc/>
    public ConfigValue? Find(string configMap, string key) => Empty;

    /// <inheritdoc/>
    public IReadOnlyCollection<string>? KeysOf(string configMap) => [];
}
