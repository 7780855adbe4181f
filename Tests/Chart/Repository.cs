namespace Enclaves.Tests.Chart;

/// <summary>The checkout that the tests were built in.</summary>
internal static class Repository
{
    private static readonly string Root = Find();

    /// <summary>Whether files that the tests compare with are to be written instead: ENCLAVES_WRITE_GOLDEN=true.</summary>
    public static bool IsWriting => Environment.GetEnvironmentVariable("ENCLAVES_WRITE_GOLDEN") == "true";

    /// <summary>What a test says when such a file is not as expected.</summary>
    public static string HowToWrite =>
        "if it is right, write it anew and look at what changes: ENCLAVES_WRITE_GOLDEN=true dotnet run --project Tests/Chart, then git diff";

    /// <summary>The path of a file or folder of the repository.</summary>
    public static string Path(string relative) => System.IO.Path.Combine(Root, relative);

    /// <summary>The content of a file that must be there.</summary>
    public static string Read(string relative) => File.ReadAllText(Path(relative));

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(System.IO.Path.Combine(folder.FullName, "Enclaves.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("no folder above the test has Enclaves.sln: run the test from the repository");
        return folder.FullName;
    }
}
