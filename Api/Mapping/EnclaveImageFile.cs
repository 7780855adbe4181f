using System.Text.RegularExpressions;

namespace Enclaves.Api;

/// <summary>An enclave image by the name of its file in the EnclaveHost image, rather than by an OCI reference.</summary>
public static partial class EnclaveImageFile
{
    /// <summary>Folder of these files in the EnclaveHost image.</summary>
    public const string Folder = "/opt/enclaves/image";

    /// <summary>Whether it is a plain name that ends in .eif: none that leads out of the folder.</summary>
    public static bool IsName(string image) => Name().IsMatch(image);

    /// <summary>Where the file is.</summary>
    public static string PathOf(string name) => $"{Folder}/{name}";

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.eif\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
