namespace Enclaves.EnclaveHost.Drivers;

/// <summary>Tells whether a folder gives hugepages.</summary>
internal static class Hugepages
{
    /// <summary>Whether a hugetlbfs is mounted at this path; an ordinary folder of that name would put the memory on a disk.</summary>
    public static bool IsMounted(string path) => IsMounted(path, File.ReadLines("/proc/self/mounts"));

    internal static bool IsMounted(string path, IEnumerable<string> mounts) =>
        mounts.Select(line => line.Split(' ')).LastOrDefault(fields => fields.Length > 2 && fields[1] == path.TrimEnd('/')) is [_, _, "hugetlbfs", ..];
}
