using Enclaves.Api;

namespace Enclaves.Tests.Unit.Api;

/// <summary>ConfigMaps with these values and no others.</summary>
internal sealed class TestConfig(params (string ConfigMap, string Key, ConfigValue Value)[] values) : IConfigValues
{
    public ConfigValue? Find(string configMap, string key) =>
        values.FirstOrDefault(value => (value.ConfigMap, value.Key) == (configMap, key)).Value;

    public IReadOnlyCollection<string>? KeysOf(string configMap) =>
        values.Where(value => value.ConfigMap == configMap).Select(value => value.Key).ToArray() is { Length: > 0 } keys ? keys : null;
}
