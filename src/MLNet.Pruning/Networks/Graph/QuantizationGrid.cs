namespace MLNet.Pruning.Networks.Graph;

/// <summary>
/// The integers that a file stores a weight as, as DequantizeLinear reads them: value = (integer - zero point) * scale. Zero is always on the
/// grid, so that a weight that is pruned stays one of its integers.
/// </summary>
/// <param name="Type">Type of the integers.</param>
/// <param name="Scales">One, or one an index of the axis.</param>
/// <param name="ZeroPoints">As many as scales.</param>
/// <param name="HasZeroPoints">Whether the file states them; they are 0 where it does not.</param>
/// <param name="Axis">The dimension that has a scale an index; -1 for one scale.</param>
internal sealed record QuantizationGrid(TensorType Type, ImmutableArray<float> Scales, ImmutableArray<long> ZeroPoints, bool HasZeroPoints, int Axis)
{
    /// <summary>What the integers stand for, computed as the standard does, in 32-bit floats.</summary>
    public float[] Dequantize(ReadOnlySpan<long> integers, ImmutableArray<int> shape)
    {
        var values = GC.AllocateUninitializedArray<float>(integers.Length, pinned: true);
        var inner = Inner(shape);
        for (var i = 0; i < values.Length; i++)
        {
            var s = i / inner % Scales.Length;
            values[i] = (integers[i] - ZeroPoints[s]) * Scales[s];
        }

        return values;
    }

    /// <summary>The integers of values; null where one of them is not on the grid, as after training.</summary>
    public long[]? Quantize(ReadOnlySpan<float> values, ImmutableArray<int> shape)
    {
        var integers = new long[values.Length];
        var inner = Inner(shape);
        for (var i = 0; i < integers.Length; i++)
        {
            var s = i / inner % Scales.Length;
            if (Steps(values[i], Scales[s]) is not { } steps)
            {
                return null;
            }

            integers[i] = ZeroPoints[s] + steps;
        }

        return integers;
    }

    /// <summary>The number that makes a value with a scale, to the last bit. Beyond 2^24 several integers do, and the quotient may be one float off.</summary>
    private static long? Steps(float value, float scale)
    {
        var near = scale == 0 ? 0 : MathF.Round(value / scale);
        foreach (var steps in (ReadOnlySpan<float>)[near, MathF.BitIncrement(near), MathF.BitDecrement(near)])
        {
            if (MathF.Round(steps) * scale == value)
            {
                return (long)MathF.Round(steps);
            }
        }

        return null;
    }

    /// <summary>The grid of a weight of which some indices stay.</summary>
    public QuantizationGrid Keep(IReadOnlyDictionary<int, int[]> kept) => Axis >= 0 && kept.TryGetValue(Axis, out var indices)
        ? this with { Scales = [.. indices.Select(i => Scales[i])], ZeroPoints = [.. indices.Select(i => ZeroPoints[i])] } : this;

    private int Inner(ImmutableArray<int> shape) => Axis < 0 ? 1 : Math.Max(1, shape.Skip(Axis + 1).Aggregate(1, (product, size) => product * size));
}
