namespace Enclaves.Webhook.Validation;

/// <summary>Property chains as users write them.</summary>
internal static class PropertyPaths
{
    /// <summary>Spec.UserPlugins[1].Image → spec.userPlugins[1].image. Every JSON name is its property's name with a small first letter.</summary>
    public static string ToJson(string chain) =>
        string.Join('.', chain.Split('.').Select(name => name.Length == 0 ? name : char.ToLowerInvariant(name[0]) + name[1..]));
}
