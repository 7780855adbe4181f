using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Enclaves.Tests.Unit.Eif;

/// <summary>
/// A second reader of the format, written from its published description alone and sharing nothing with the one under test: it goes from section to
/// section, holds all of it in memory, and believes whatever it reads.
/// </summary>
internal sealed class PublishedEif
{
    private readonly List<(int Type, byte[] Content)> _sections = [];
    private readonly byte[] _file;

    public PublishedEif(byte[] file)
    {
        _file = file;
        for (var at = 548; at < file.Length;)
        {
            var size = (int)Number(at + 4, 8);
            _sections.Add(((int)Number(at, 2), file[(at + 12)..(at + 12 + size)]));
            at += 12 + size;
        }
    }

    public string Magic => Encoding.ASCII.GetString(_file, 0, 4);

    public int Version => (int)Number(4, 2);

    public int Flags => (int)Number(6, 2);

    public long DefaultMemory => Number(8, 8);

    public long DefaultCpus => Number(16, 8);

    public int SectionCount => (int)Number(26, 2);

    /// <summary>Types in the order of the file.</summary>
    public IEnumerable<int> Types => _sections.Select(section => section.Type);

    /// <summary>The header's table: where each section's header is, and the bytes of its content.</summary>
    public IEnumerable<(long Offset, long Size)> Table =>
        Enumerable.Range(0, 32).Select(i => (Number(28 + (8 * i), 8), Number(284 + (8 * i), 8)));

    /// <summary>The same by the sections themselves.</summary>
    public IEnumerable<(long Offset, long Size)> Walked()
    {
        var at = 548L;
        foreach (var (_, content) in _sections)
        {
            yield return (at, content.Length);
            at += 12 + content.Length;
        }
    }

    public bool CrcIsRight => Crc32([.. _file[..544], .. _file[548..]]) == (uint)Number(544, 4);

    public string Pcr0 => Register([.. Of(1), .. Of(2), .. Of(3)]);

    public string Pcr1 => Register([.. Of(1), .. Of(2), .. Of(3).Take(1)]);

    public string Pcr2 => Register([.. Of(3).Skip(1)]);

    public byte[] Kernel => Of(1).Single();

    public byte[] CommandLine => Of(2).Single();

    public List<byte[]> Ramdisks => [.. Of(3)];

    public JsonNode Metadata => JsonNode.Parse(Of(5).Single())!;

    public byte[] Signature => Of(4).Single();

    /// <summary>A register of zeros, extended once.</summary>
    public static string Register(IEnumerable<byte[]> content)
    {
        var digest = SHA384.HashData([.. content.SelectMany(part => part)]);
        return Convert.ToHexStringLower(SHA384.HashData([.. Enumerable.Repeat((byte)0, 48), .. digest]));
    }

    /// <summary>CRC-32 of IEEE 802.3, bit by bit.</summary>
    public static uint Crc32(byte[] bytes)
    {
        var crc = 0xFFFFFFFFu;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 1 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
        }

        return ~crc;
    }

    private IEnumerable<byte[]> Of(int type) => _sections.Where(section => section.Type == type).Select(section => section.Content);

    private long Number(int at, int count) => _file.AsSpan(at, count).ToArray().Aggregate(0L, (number, value) => (number << 8) | value);
}
