using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Enclaves.Tests.Chart.Argo;

/// <summary>What a health check says of an object.</summary>
internal readonly record struct Health(string Status, string Message);

/// <summary>Runs docs/argocd/health.lua with a Lua of its own, as Argo CD runs it: the object is a global, the libraries are closed.</summary>
internal static class LuaHealth
{
    // Of the basic functions only those that hold no surprise between versions of Lua; a script that reaches for another one fails.
    private const string Runner = """
        local open = { obj = obj, ipairs = ipairs, pairs = pairs, type = type, tostring = tostring }
        local check = assert(load(script, "health.lua", "t", open))
        local health = check()
        assert(type(health) == "table", "the script returned no table")
        for field in pairs(health) do
          assert(field == "status" or field == "message", "Argo CD knows no field " .. tostring(field))
        end
        for name in pairs(open) do
          assert(name == "obj" or _G[name], "the script left a global " .. tostring(name))
        end
        io.write(health.status, "\n", health.message, "\n")
        """;

    /// <summary>The health of an object.</summary>
    public static async Task<Health> Of(JsonNode item)
    {
        var program = new StringBuilder("obj = ");
        Write(program, item);
        program.Append("\nscript = ");
        WriteText(program, Repository.Read("docs/argocd/health.lua"));
        program.Append('\n').Append(Runner);
        var output = (await Tool.Run("lua5.3", program.ToString(), "-")).Succeeded();
        return output.Split('\n') is [var status, var message, ""]
            ? new Health(status, message)
            : throw new InvalidOperationException($"not two lines: {output}");
    }

    private static void Write(StringBuilder program, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                program.Append('{');
                foreach (var (key, value) in map)
                {
                    program.Append('[');
                    WriteText(program, key);
                    program.Append("] = ");
                    Write(program, value);
                    program.Append(", ");
                }

                program.Append('}');
                break;
            case JsonArray list:
                program.Append('{');
                foreach (var item in list)
                {
                    Write(program, item);
                    program.Append(", ");
                }

                program.Append('}');
                break;
            case null:
                program.Append("nil");
                break;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String:
                WriteText(program, (string)text!);
                break;
            default:
                program.Append(node.ToJsonString());
                break;
        }
    }

    // Byte by byte: the escapes of JSON and of Lua are not the same.
    private static void WriteText(StringBuilder program, string text)
    {
        program.Append('"');
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (value is >= (byte)' ' and < 127 and not ((byte)'"' or (byte)'\\'))
                program.Append((char)value);
            else
                program.Append(CultureInfo.InvariantCulture, $"\\{value:d3}");
        }

        program.Append('"');
    }
}
