using Shouldly;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>A file of the repository that dev/crd writes.</summary>
internal static class WrittenFile
{
    /// <summary>The file must hold this text. Under dev/crd it is given it first.</summary>
    public static void MustHold(string path, string text)
    {
        var full = Repository.PathOf(path);
        if (Environment.GetEnvironmentVariable("ENCLAVES_WRITE_CRD") == "true")
            File.WriteAllText(full, text);
        File.ReadAllText(full).ShouldBe(text, "run dev/crd and look at what it changes");
    }
}
