using Shouldly;

namespace Enclaves.Tests.EndToEnd;

/// <summary>The release of the chart that dev/up has installed.</summary>
internal static class Release
{
    public const string Name = "enclaves";

    public const string Namespace = "enclaves-system";

    /// <summary>The values that it was given, as YAML.</summary>
    public static Task<string> Values() => Helm("get", "values", Name, "-o", "yaml");

    /// <summary>Installs or upgrades it with these values and further options, and waits until it is ready.</summary>
    public static async Task Upgrade(string values, params string[] options)
    {
        var chart = Path.Combine(Deployed.Repository, "charts/enclaves");
        var result = await Tool.Run("helm", values, [.. Where, "upgrade", "--install", Name, chart, "-f", "-", "--wait", "--timeout", "420s", .. options]);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
    }

    /// <summary>Standard output of helm, which must succeed.</summary>
    public static async Task<string> Helm(params string[] arguments)
    {
        var result = await Tool.Run("helm", null, [.. Where, .. arguments]);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output;
    }

    private static string[] Where => ["--kubeconfig", Kubectl.Kubeconfig, "-n", Namespace];
}
