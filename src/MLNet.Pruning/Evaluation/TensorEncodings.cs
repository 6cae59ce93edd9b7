using System.Numerics;
using MLNet.Pruning.Networks.Storage;

namespace MLNet.Pruning.Evaluation;

/// <summary>Bytes of a tensor in each encoding.</summary>
internal static class TensorEncodings
{
    private const int MostDistinct = 1 << 16;
    private const int Short = 8;

    public static ImmutableSortedDictionary<WeightEncoding, long> Of(Parameter parameter)
    {
        var values = parameter.Values;
        var columns = parameter.Shape.Length > 1 && parameter.Shape[0] > 0 ? Math.Max(1, parameter.Count / parameter.Shape[0]) : Math.Max(1, parameter.Count);
        long count = values.Length, others = count - values.Count(0f), rows = count / columns;
        var distinct = Places(values);
        var bytes = new Dictionary<WeightEncoding, long>
        {
            [WeightEncoding.Dense] = count * sizeof(float),
            [WeightEncoding.Bitmap] = (count + 7) / 8 + others * sizeof(float),
            [WeightEncoding.Csr8] = Rows(values, columns, rows, 8),
            [WeightEncoding.Csr16] = Rows(values, columns, rows, 16),
            [WeightEncoding.Csr32] = Rows(values, columns, rows, 32),
            [WeightEncoding.Hash] = (others == 0 ? 0 : (long)BitOperations.RoundUpToPowerOf2((ulong)(others * 4 + 2) / 3)) * (sizeof(int) + sizeof(float)),
            [WeightEncoding.SparseOnnx] = others * (sizeof(long) + sizeof(float)),
            [WeightEncoding.EntropyCoded] = EntropyCoded(parameter),
        };
        if (distinct is not null)
        {
            var all = distinct.Count + (others < count ? 1 : 0);
            bytes[WeightEncoding.InvertedList] = distinct.Values.Sum(places => sizeof(float) + sizeof(int) + Gaps(places).Sum(gap => 1 + (gap >> 16)) * 2);
            bytes[WeightEncoding.Codebook] = (count * BitOperations.Log2((uint)Math.Max(1, 2 * all - 1)) + 7) / 8 + all * sizeof(float);
            bytes[WeightEncoding.Huffman] = Huffman(values, distinct);
        }

        return bytes.ToImmutableSortedDictionary();
    }

    /// <summary>Positions of each value that is not zero; null for too many values.</summary>
    private static Dictionary<float, List<int>>? Places(ReadOnlySpan<float> values)
    {
        var places = new Dictionary<float, List<int>>();
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] != 0)
            {
                if (!places.TryGetValue(values[i], out var own))
                {
                    if (places.Count == MostDistinct)
                    {
                        return null;
                    }

                    places[values[i]] = own = [];
                }

                own.Add(i);
            }
        }

        return places;
    }

    private static long Rows(ReadOnlySpan<float> values, int columns, long rows, int bits)
    {
        long entries = 0, zeros = 0;
        for (var i = 0; i < values.Length; i++)
        {
            zeros = i % columns == 0 ? 0 : zeros;
            entries += values[i] == 0 ? 0 : 1 + (zeros >> bits);
            zeros = values[i] == 0 ? zeros + 1 : 0;
        }

        return (rows + 1) * sizeof(int) + entries * (bits / 8 + sizeof(float));
    }

    private static IEnumerable<long> Gaps(IEnumerable<int> places)
    {
        var last = -1;
        foreach (var place in places)
        {
            yield return place - last - 1;
            last = place;
        }
    }

    private static long Huffman(ReadOnlySpan<float> values, Dictionary<float, List<int>> distinct)
    {
        var counts = distinct.ToDictionary(pair => pair.Key, pair => (long)pair.Value.Count);
        var gaps = new long[1 << Short];
        long zeros = 0, fillers = 0;
        foreach (var value in values)
        {
            if (value == 0)
            {
                zeros++;
                continue;
            }

            // A zero is stored where there are more before it than a symbol says.
            fillers += zeros >> Short;
            gaps[^1] += zeros >> Short;
            gaps[zeros & gaps.Length - 1]++;
            zeros = 0;
        }

        var symbols = counts.Values.Append(fillers).Where(count => count > 0).ToArray();
        var used = gaps.Where(count => count > 0).ToArray();
        return (HuffmanCode.Bits(symbols) + HuffmanCode.Bits(used) + 7) / 8
            + symbols.Length * (sizeof(float) + 1) + used.Length * 2;
    }

    private static long EntropyCoded(Parameter parameter)
    {
        var coder = new BitWriter();
        var patterns = MemoryMarshal.Cast<float, uint>(parameter.Values).ToArray();
        new TensorCoder(coder).Code(patterns, [.. parameter.Shape.Select(size => (long)size)], 32);
        return coder.End().Length;
    }
}
