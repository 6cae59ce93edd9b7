using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Weights rounded to integers with a scale a layer or a channel.</summary>
internal static class WeightGrids
{
    /// <summary>Integers for a weight.</summary>
    /// <param name="weight">The weight, with values.</param>
    /// <param name="axis">The dimension that has a scale an index; -1 for one scale.</param>
    /// <param name="bits">Bits of the integers, 2 to 8.</param>
    /// <param name="symmetric">Whether as many integers lie below zero as above.</param>
    /// <param name="range">What they span.</param>
    /// <param name="leastScale">Scales are at least that; by channel or one for all, null for no such bound.</param>
    /// <param name="block">Indices of the axis that share a scale; 0 for one an index.</param>
    public static WeightGrid Of(Parameter weight, int axis, int bits, bool symmetric, QuantizationRange range, IReadOnlyList<double>? leastScale = null,
        int block = 0)
        => new(weight.Name, Grid(weight, axis, bits, symmetric, range, leastScale, block), symmetric ? -Highest(bits) : 0,
            symmetric ? Highest(bits) : (1 << bits) - 1);

    /// <summary>The largest integer of symmetric ones.</summary>
    private static int Highest(int bits) => (1 << (bits - 1)) - 1;

    /// <summary>A weight on integers that are -1, 0 and 1, or these without 0, times a scale.</summary>
    /// <param name="weight">The weight, with values.</param>
    /// <param name="axis">The dimension that has a scale an index; -1 for one scale.</param>
    /// <param name="scale">The scale of some values, and the magnitude up to which values are 0; below 0 for none.</param>
    public static Parameter Signs(Parameter weight, int axis, Func<float[], (double Scale, double Zero)> scale)
    {
        var grid = new QuantizationGrid(TensorType.Int2, [.. new float[axis < 0 ? 1 : weight.Shape[axis]]], [], false, axis);
        var (scales, integers) = (new List<float>(), new long[weight.Count]);
        foreach (var places in Places(weight, grid))
        {
            var (size, zero) = scale(Array.ConvertAll(places, place => weight.Array[place]));
            scales.Add(Scale(size));
            foreach (var place in places)
            {
                integers[place] = Math.Abs(weight.Array[place]) <= zero || size == 0 ? 0 : weight.Array[place] < 0 ? -1 : 1;
            }
        }

        grid = grid with { Scales = [.. scales], ZeroPoints = [.. new long[scales.Count]] };
        return weight.WithValues(weight.Shape, grid.Dequantize(integers, weight.Shape), grid);
    }

    /// <summary>A bias on 32-bit integers whose scale is that of what is multiplied times that of the weight, as products of integers have it.</summary>
    public static Parameter Bias(Parameter bias, IReadOnlyList<float> scales)
    {
        var grid = new QuantizationGrid(TensorType.Int32, [.. scales], [.. new long[scales.Count]], false, scales.Count > 1 ? 0 : -1);
        var integers = new long[bias.Count];
        for (var i = 0; i < integers.Length; i++)
        {
            integers[i] = (long)Math.Clamp(Math.Round((double)bias.Values[i] / scales[scales.Count > 1 ? i : 0]), int.MinValue, int.MaxValue);
        }

        return bias.WithValues(bias.Shape, grid.Dequantize(integers, bias.Shape), grid);
    }

    private static QuantizationGrid Grid(Parameter weight, int axis, int bits, bool symmetric, QuantizationRange range,
        IReadOnlyList<double>? leastScale, int block)
    {
        var (scales, zeros) = (new List<float>(), new List<long>());
        var levels = symmetric ? 2 * Highest(bits) + 1 : 1 << bits;
        var grid = new QuantizationGrid(Type(bits, symmetric), [.. new float[axis < 0 ? 1 : weight.Shape[axis]]], [], !symmetric || bits > 4, axis)
        {
            Block = block,
        };
        foreach (var places in Places(weight, grid))
        {
            var (low, high) = range.Of(Histogram.Of(Array.ConvertAll(places, place => weight.Array[place])), levels, symmetric);
            var scale = symmetric ? Math.Max(-low, high) / Highest(bits) : (high - low) / (levels - 1);
            scales.Add(Scale(Math.Max(scale, leastScale is null ? 0 : leastScale[leastScale.Count > 1 ? scales.Count : 0])));
            zeros.Add(symmetric ? 0 : (long)Math.Clamp(Math.Round(-low / scales[^1]), 0, levels - 1));
        }

        return grid with { Scales = [.. scales], ZeroPoints = [.. zeros] };
    }

    private static TensorType Type(int bits, bool symmetric) => bits switch
    {
        <= 2 => symmetric ? TensorType.Int2 : TensorType.UInt2,
        <= 4 => symmetric ? TensorType.Int4 : TensorType.UInt4,
        _ => symmetric ? TensorType.Int8 : TensorType.UInt8,
    };

    /// <summary>The places of the values that share a scale, scale by scale.</summary>
    private static int[][] Places(Parameter weight, QuantizationGrid grid)
    {
        var scales = grid.ScalesOf(weight.Shape);
        return [.. Enumerable.Range(0, weight.Count).GroupBy(scales).OrderBy(places => places.Key).Select(places => places.ToArray())];
    }

    /// <summary>A scale that a file can hold and divide by: 1 where all values are zero, or so small that they may as well be.</summary>
    public static float Scale(double scale) => float.IsNormal((float)scale) ? (float)scale : 1;
}
