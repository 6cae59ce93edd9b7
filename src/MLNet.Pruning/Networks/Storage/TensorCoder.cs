using System.Numerics;

namespace MLNet.Pruning.Networks.Storage;

/// <summary>
/// The values of tensors as an adaptive coder of bits takes them: whether each is the commonest one, by those around it, and then which of few it is, or its
/// sign and exponent and the rest as it lies. What was learned of one tensor serves the next (after Marpe, Schwarz &amp; Wiegand 2003, "Context-Based Adaptive
/// Binary Arithmetic Coding", and Wiedemann et al. 2020, "DeepCABAC").
/// </summary>
/// <param name="coder">Writes or reads.</param>
internal sealed class TensorCoder(BitCoder coder)
{
    private const int MostEntries = 256;
    private const int Tensors = 16;
    private const int Heads = 1 << 9;
    private const int Densities = SeenPlaces.Densities;

    private readonly BitMixer _common = new([Densities, Densities, 64, Densities * Densities, Densities * 4, Densities * Densities, Densities * 9],
        sets: Densities);

    private readonly BitMixer _entry = new([9 * MostEntries, 9 * MostEntries * 5, 9 * MostEntries * 5, Tensors * MostEntries]);
    private readonly BitMixer _head = new([Heads * 3, Heads * 3 * Heads, Tensors * Heads]);
    private readonly int[] _near = new int[7];
    private readonly int[] _which = new int[4];
    private readonly int[] _first = new int[3];
    private uint[] _entries = [];
    private int _tensor = -1;

    /// <summary>Writes values, or reads as many.</summary>
    /// <param name="values">Patterns of bits.</param>
    /// <param name="dims">Their sizes; of which the first tells rows.</param>
    /// <param name="bits">Bits of a value: 8, 16 or 32.</param>
    public void Code(Span<uint> values, IReadOnlyList<long> dims, int bits)
    {
        _tensor = (_tensor + 1) % Tensors;
        var counts = coder.IsReading ? default : new PatternCounts(values, bits);
        var isZero = coder.Code(counts.Commonest == 0 ? 1 : 0, Logistic.One / 16 * 15) == 1;
        var common = isZero ? 0 : coder.Plain(counts.Commonest, bits);
        var hasCommon = coder.Code(counts.HasCommon ? 1 : 0, Logistic.One / 2) == 1;
        var form = coder.Plain((uint)Form(counts), 2);
        var zeros = (int)coder.Plain((uint)counts.LowZeros, 5);
        if (zeros > bits - HeadBits(bits))
        {
            throw new InvalidDataException($"values of {bits} bits have {zeros} that are zero in all of them");
        }

        if (form == 1)
        {
            CodeEntries(counts, bits, zeros);
        }
        else if (form > 2 || (form == 2 && _entries.Length == 0))
        {
            throw new InvalidDataException(form > 2 ? $"values have the form {form}" : "values are those of a list that is not there");
        }

        var depth = form == 0 ? 0 : BitOperations.Log2((uint)Math.Max(1, _entries.Length - 1)) + 1;
        var places = new SeenPlaces(values.Length, dims);
        for (var i = 0; i < values.Length; i++)
        {
            places.Describe(_near);
            var isCommon = hasCommon && _common.Code(coder, values[i] == common ? 0 : 1, _near, _near[0]) == 0;
            if (isCommon)
            {
                values[i] = common;
                places.Next(isOther: false);
                continue;
            }

            if (form == 0)
            {
                values[i] = Pattern(values[i], bits, zeros, places.Last);
                places.Next(isOther: true, (int)(values[i] >> bits - HeadBits(bits)) & byte.MaxValue);
            }
            else
            {
                var entry = Entry(Array.BinarySearch(_entries, Ordered(values[i], bits)), depth, places);
                values[i] = Pattern(_entries[entry], bits);
                places.Next(isOther: true, 1 + entry * 4 / _entries.Length);
            }
        }
    }

    /// <summary>0 for patterns, 1 for places in a list of its own, 2 for those in the list of a tensor before it.</summary>
    private int Form(PatternCounts counts)
    {
        if (counts.Distinct is not { } distinct)
        {
            return 0;
        }

        return distinct.Length > 0 && distinct.All(entry => Array.BinarySearch(_entries, entry) >= 0) ? 2
            : distinct.Length is > 0 and <= MostEntries && distinct.Length * 2 <= counts.Others ? 1 : 0;
    }

    private void CodeEntries(PatternCounts counts, int bits, int zeros)
    {
        var count = coder.Number((counts.Distinct?.Length ?? 1) - 1) + 1;
        var entries = new uint[count <= MostEntries ? count : throw new InvalidDataException($"a list has {count} values")];
        for (var (i, last) = (0, 0); i < count; i++)
        {
            var value = Pattern(counts.Distinct is { } distinct ? Pattern(distinct[i], bits) : 0, bits, zeros, last);
            last = (int)(value >> bits - HeadBits(bits));
            entries[i] = Ordered(value, bits);
        }

        _entries = entries;
    }

    private int Entry(int entry, int depth, SeenPlaces places)
    {
        var node = 1;
        for (var place = depth - 1; place >= 0; place--)
        {
            var at = depth * MostEntries + node;
            (_which[0], _which[1], _which[2], _which[3]) = (at, at * 5 + places.Last, at * 5 + places.LastInColumn, _tensor * MostEntries + node);
            node = node << 1 | _entry.Code(coder, entry >> place & 1, _which);
        }

        var found = node - (1 << depth);
        return found < _entries.Length ? found : throw new InvalidDataException($"value {found} of a list of {_entries.Length} is asked for");
    }

    private uint Pattern(uint value, int bits, int zeros, int last)
    {
        var head = HeadBits(bits);
        var node = 1;
        for (var place = bits - 1; place >= bits - head; place--)
        {
            var at = (bits / 16 * Heads) + node;
            (_first[0], _first[1], _first[2]) = (at, at * Heads + last, _tensor * Heads + node);
            node = node << 1 | _head.Code(coder, (int)(value >> place & 1), _first);
        }

        var rest = bits - head - zeros;
        return (uint)(node - (1 << head)) << bits - head | coder.Plain(value >> zeros & (1u << rest) - 1, rest) << zeros;
    }

    /// <summary>Sign and exponent of a float, or a whole byte.</summary>
    private static int HeadBits(int bits) => bits == 32 ? 9 : 8;

    /// <summary>Patterns of floats in the order of the floats.</summary>
    public static uint Ordered(uint value, int bits) => value >> bits - 1 == 1 ? ~value & (uint)((1UL << bits) - 1) : value | 1u << bits - 1;

    private static uint Pattern(uint ordered, int bits) => ordered >> bits - 1 == 1 ? ordered & ~(1u << bits - 1) : ~ordered & (uint)((1UL << bits) - 1);
}
