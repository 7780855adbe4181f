namespace Enclaves.Tests.Unit.Boundary;

/// <summary>The seed of one case out of those of many.</summary>
internal static class FuzzSeed
{
    // Of neighbouring seeds Random gives neighbouring first numbers.
    public static int Of(int seed, int number) => unchecked((int)((((uint)seed * 0x9E3779B1) + (uint)number) * 0x85EBCA6B));
}
