using System.Collections.Concurrent;
using System.Net;
using k8s.Models;
using Microsoft.AspNetCore.Http;

namespace Enclaves.Tests.Cluster;

/// <summary>The rights that requests have needed, each as GROUP/RESOURCE VERB; and the requests that were forbidden.</summary>
internal sealed class UsedRights
{
    private readonly ConcurrentDictionary<string, bool> _used = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _forbidden = new();

    public IReadOnlyCollection<string> Used => _used.Keys.ToList();

    public IReadOnlyCollection<string> Forbidden => _forbidden;

    /// <summary>What a rule grants, in the same form.</summary>
    public static IEnumerable<string> Granted(V1PolicyRule rule) =>
        from @group in rule.ApiGroups from resource in rule.Resources from verb in rule.Verbs select $"{@group}/{resource} {verb}";

    /// <summary>Takes down a request that was answered.</summary>
    public void Take(HttpRequest request, HttpStatusCode status)
    {
        if (status == HttpStatusCode.Forbidden)
            _forbidden.Enqueue($"{request.Method} {request.Path}");
        if (RightOf(request) is not { } right)
            return;
        _used[$"{right.Resource} {right.Verb}"] = true;
        // Server-side apply of what is not there needs both.
        if (right.Verb == "patch" && status == HttpStatusCode.Created)
            _used[$"{right.Resource} create"] = true;
    }

    // /api/VERSION/… or /apis/GROUP/VERSION/…, then namespaces/NAME where it is of one, then RESOURCE[/NAME[/SUBRESOURCE]].
    private static (string Resource, string Verb)? RightOf(HttpRequest request)
    {
        var parts = request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var (group, rest) = parts is ["apis", var named, _, ..] ? (named, parts[3..]) : parts is ["api", _, ..] ? ("", parts[2..]) : ("", []);
        if (rest is ["namespaces", _, _, ..])
            rest = rest[2..];
        if (rest.Length == 0)
            return null;
        var resource = rest.Length > 2 ? $"{rest[0]}/{rest[2]}" : rest[0];
        var verb = request.Method switch
        {
            "GET" when request.Query.ContainsKey("watch") => "watch",
            "GET" => rest.Length == 1 ? "list" : "get",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => rest.Length == 1 ? "deletecollection" : "delete",
            var other => other,
        };
        return ($"{group}/{resource}", verb);
    }
}
