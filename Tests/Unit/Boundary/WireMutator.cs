namespace Enclaves.Tests.Unit.Boundary;

/// <summary>Makes other bytes of those of a message or a frame. The same random numbers give the same bytes.</summary>
internal static class WireMutator
{
    // Lengths and numbers at the edges of what protobuf and HTTP/2 can say.
    private static readonly byte[][] Fragments =
    [
        [0], [0xFF], [0x7F], [0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        [0x80, 0x80, 0x80, 0x80, 0x08], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0xED, 0xA0, 0x80], [0xC0, 0x80], [(byte)'\n'], [(byte)'\r', (byte)'\n'],
    ];

    /// <summary>A few changes to the bytes; in rare cases none.</summary>
    public static byte[] Mutate(ReadOnlySpan<byte> start, Random random)
    {
        var bytes = new List<byte>(start.Length + 64);
        bytes.AddRange(start);
        for (var i = random.Next(4); i > 0; i--)
            Change(bytes, random);
        return [.. bytes];
    }

    private static void Change(List<byte> bytes, Random random)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(16), bytes.Count - at);
        switch (random.Next(5))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes.InsertRange(at, Fragments[random.Next(Fragments.Length)]);
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            default:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
        }
    }
}
