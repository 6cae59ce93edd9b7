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
    /// <summary>Indices of the axis that share a scale, one after another; 0 where each has its own.</summary>
    public int Block { get; init; }

    /// <summary>First version of the standard in which files can hold the integers so.</summary>
    public long Opset => Type is TensorType.Int2 or TensorType.UInt2 ? 25 : Block > 0 || Type is TensorType.Int4 or TensorType.UInt4 ? 21 : 10;

    /// <summary>The type that a file of a version of the standard holds them as.</summary>
    public TensorType TypeFor(long opset) => opset >= Opset ? Type : Type switch
    {
        TensorType.Int2 or TensorType.Int4 => TensorType.Int8,
        TensorType.UInt2 or TensorType.UInt4 => TensorType.UInt8,
        _ => Type,
    };

    /// <summary>What the integers stand for, computed as the standard does, in 32-bit floats.</summary>
    public float[] Dequantize(ReadOnlySpan<long> integers, ImmutableArray<int> shape)
    {
        var values = GC.AllocateUninitializedArray<float>(integers.Length, pinned: true);
        var scales = ScalesOf(shape);
        for (var i = 0; i < values.Length; i++)
        {
            var s = scales(i);
            values[i] = (integers[i] - ZeroPoints[s]) * Scales[s];
        }

        return values;
    }

    /// <summary>The integers of values; null where one of them is not on the grid, as after training.</summary>
    public long[]? Quantize(ReadOnlySpan<float> values, ImmutableArray<int> shape)
    {
        var integers = new long[values.Length];
        var scales = ScalesOf(shape);
        for (var i = 0; i < integers.Length; i++)
        {
            var s = scales(i);
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

    /// <summary>The place among the scales of each value of a tensor, by its place there.</summary>
    public Func<int, int> ScalesOf(ImmutableArray<int> shape)
    {
        if (Axis < 0)
        {
            return _ => 0;
        }

        var inner = shape.Skip(Axis + 1).Aggregate(1, (product, size) => product * size);
        if (Block == 0)
        {
            return place => place / inner % Scales.Length;
        }

        var (size, block) = (shape[Axis], Block);
        var blocks = ScaleShape(shape)[Axis];
        return place => ((place / (inner * size) * blocks) + (place / inner % size / block)) * inner + place % inner;
    }

    /// <summary>Sizes by dimension of the tensor of scales.</summary>
    public ImmutableArray<int> ScaleShape(ImmutableArray<int> shape) => Axis < 0 ? []
        : Block == 0 ? [Scales.Length] : shape.SetItem(Axis, (shape[Axis] + Block - 1) / Block);

    /// <summary>The grid of a weight of which some indices stay.</summary>
    /// <param name="name">Name of the weight.</param>
    /// <param name="shape">Its shape before.</param>
    /// <param name="kept">The indices that stay, by dimension.</param>
    /// <exception cref="InvalidOperationException">Indices of several blocks would share one.</exception>
    public QuantizationGrid Keep(string name, ImmutableArray<int> shape, IReadOnlyDictionary<int, int[]> kept)
    {
        if (Axis < 0 || (Block == 0 && !kept.ContainsKey(Axis)))
        {
            return this;
        }

        if (Block == 0)
        {
            return Of([.. kept[Axis]]);
        }

        ImmutableArray<int> small = [.. shape.Select((size, d) => kept.TryGetValue(d, out var indices) ? indices.Length : size)];
        var (before, after) = (ScalesOf(shape), ScalesOf(small));
        var scales = new int[ScaleShape(small).Aggregate(1, (product, size) => product * size)];
        Array.Fill(scales, -1);
        for (var place = 0; place < small.Aggregate(1, (product, size) => product * size); place++)
        {
            var (rest, old, step) = (place, 0, 1);
            for (var d = small.Length - 1; d >= 0; d--)
            {
                old += (kept.TryGetValue(d, out var indices) ? indices[rest % small[d]] : rest % small[d]) * step;
                (rest, step) = (rest / small[d], step * shape[d]);
            }

            ref var scale = ref scales[after(place)];
            scale = scale < 0 || scale == before(old) ? before(old) : throw new InvalidOperationException($"Weight '{name}' has a scale for each {Block} of "
                + $"dimension {Axis}, and what would stay of several would share one: prune the network of floats, and quantise what is left.");
        }

        return Of(scales);
    }

    private QuantizationGrid Of(int[] scales)
        => this with { Scales = [.. scales.Select(i => Scales[i])], ZeroPoints = [.. scales.Select(i => ZeroPoints[i])] };
}
