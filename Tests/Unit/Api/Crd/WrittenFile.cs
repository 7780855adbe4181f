using Shouldly;

namespace Enclaves.Tests.Unit.Api.Crd;

/// <summary>A file of the repository that dev/crd writes.</summary>
internal static class WrittenFile
{
    /// <summary>The file must hold this text. Under dev/crd it is given it first.</summary>
    public static void MustHold(string path, string text)
    {
        var full = Path.Combine(Root(), path);
        if (Environment.GetEnvironmentVariable("ENCLAVES_WRITE_CRD") == "true")
            File.WriteAllText(full, text);
        File.ReadAllText(full).ShouldBe(text, "run dev/crd and look at what it changes");
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Enclaves.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("no folder above the test has Enclaves.sln: run the test from the repository");
        return folder.FullName;
    }
}
