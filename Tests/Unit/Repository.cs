namespace Enclaves.Tests.Unit;

/// <summary>The repository that the tests were built from.</summary>
internal static class Repository
{
    /// <summary>Path of a file in it.</summary>
    public static string PathOf(string file)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Enclaves.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("no folder above the test has Enclaves.sln: run the test from the repository");
        return Path.Combine(folder.FullName, file);
    }
}
