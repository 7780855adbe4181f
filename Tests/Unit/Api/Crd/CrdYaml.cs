using YamlDotNet.Serialization;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>The CRD as text, and the chart's file that must hold it.</summary>
internal static class CrdYaml
{
    private const string Header = "# Written by dev/crd from the types in Api/, and compared with them by a unit test: change those, then run dev/crd.\n";

    /// <summary>The file that must hold it, from the repository's root.</summary>
    public const string Path = "charts/enclaves/templates/crd.yaml";

    public static string Text()
    {
        var serializer = new SerializerBuilder().WithQuotingNecessaryStrings().DisableAliases().WithNewLine("\n").Build();
        return Header + serializer.Serialize(CrdDocument.Build());
    }
}
