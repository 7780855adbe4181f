using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Enclaves.Reconciler.Cluster;

namespace Enclaves.Reconciler.Rest.Auth;

/// <summary>Somebody whom the API server has recognised by a token, with all that it decides by.</summary>
internal sealed class Caller
{
    private readonly string _spec;

    private Caller(string name, string spec)
    {
        (Name, _spec) = (name, spec);
        Key = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(spec)));
    }

    /// <summary>The user's name, such as system:serviceaccount:default:dashboard.</summary>
    public string Name { get; }

    /// <summary>The same for whoever has the same rights; tells nothing of the token.</summary>
    public string Key { get; }

    /// <summary>Reads the status of a TokenReview; null when the token is nobody's.</summary>
    public static Caller? Of(JsonElement status)
    {
        if (!status.TryGetProperty("authenticated", out var authenticated) || authenticated.ValueKind != JsonValueKind.True
            || !status.TryGetProperty("user", out var user) || user.Text("username") is not { Length: > 0 } name)
        {
            return null;
        }

        var spec = new JsonObject { ["user"] = name };
        foreach (var member in new[] { "uid", "groups", "extra" })
        {
            if (user.TryGetProperty(member, out var value) && value.ValueKind != JsonValueKind.Null)
                spec[member] = JsonNode.Parse(value.GetRawText());
        }

        return new Caller(name, spec.ToJsonString());
    }

    /// <summary>The beginning of the spec of a SubjectAccessReview about them.</summary>
    public JsonObject Spec() => JsonNode.Parse(_spec)!.AsObject();
}
