using System.Buffers.Binary;

namespace MLNet.Pruning.Scoring.Native;

/// <summary>
/// Makes an ELF library of a little-endian 64-bit system bear the absence of one version of another library (.gnu.version_r, System V ABI and
/// LSB 5.0, 10.7.3). Right only where it uses no symbol of that version.
/// </summary>
internal static class WeakVersion
{
    private const int SectionsAt = 0x28, SectionSizeAt = 0x3A, SectionCountAt = 0x3C;
    private const int TypeAt = 0x4, OffsetAt = 0x18, LinkAt = 0x28, InfoAt = 0x2C;
    private const int VersionNeeds = 0x6ffffffe;
    private const byte WeakFlag = 2;

    /// <summary>Marks a version as weak: the dynamic loader then goes on without it.</summary>
    /// <param name="file">The library's bytes, changed in place.</param>
    /// <param name="version">The version's name.</param>
    /// <returns>Whether the library asks for it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bytes are not those of an ELF library.</exception>
    public static bool Mark(Span<byte> file, ReadOnlySpan<byte> version)
    {
        var (sections, size, marked) = (Int(file, SectionsAt), Short(file, SectionSizeAt), false);
        for (var section = sections; section < sections + size * Short(file, SectionCountAt); section += size)
        {
            if (Int(file, section + TypeAt) != VersionNeeds)
            {
                continue;
            }

            var names = Int(file, sections + Int(file, section + LinkAt) * size + OffsetAt);
            for (int need = Int(file, section + OffsetAt), needs = Int(file, section + InfoAt); needs > 0; needs--, need += Int(file, need + 12))
            {
                for (int entry = need + Int(file, need + 8), entries = Short(file, need + 2); entries > 0; entries--, entry += Int(file, entry + 12))
                {
                    var name = file[(names + Int(file, entry + 8))..];
                    if (name[..name.IndexOf((byte)0)].SequenceEqual(version))
                    {
                        file[entry + 4] |= WeakFlag;
                        marked = true;
                    }
                }
            }
        }

        return marked;
    }

    private static int Int(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadInt32LittleEndian(file[at..]);

    private static int Short(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file[at..]);
}
