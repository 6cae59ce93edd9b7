namespace MLNet.Pruning.Networks.Graph;

/// <summary>
/// A tensor whose values are known while a file is read: integers and truth values as <see cref="Ints"/>, floats as
/// <see cref="Floats"/>. Integers may be open sizes.
/// </summary>
internal sealed record FoldedValue(TensorType Type, ImmutableArray<int> Shape, long[]? Ints, float[]? Floats)
{
    /// <summary>Open sizes lie below this number and within 2^31 of it, where no index or size of a real file lies.</summary>
    private const long OpenSizes = -(1L << 40);

    /// <summary>Whether it is a weight of the file rather than computed or written into the graph.</summary>
    public bool IsInitializer { get; init; }

    /// <summary>Type under which the file holds it; a Cast that loses nothing may have made it <see cref="Type"/>.</summary>
    public TensorType Stored { get; init; } = Type;

    /// <summary>The integers that the file holds floats as; null for floats.</summary>
    public QuantizationGrid? Grid { get; init; }

    /// <summary>Values in each entry of the list in which the file holds places of floats; 0 where it holds none.</summary>
    public int CodeLength { get; init; }

    /// <summary>The tensor of the file that holds these values, in another shape or order at most; null for values that were computed.</summary>
    public WeightSource? Source { get; init; }

    /// <summary>
    /// Whether names that stand for these values stand for one weight. Values that are all equal are rather those of different layers that
    /// start from the same number.
    /// </summary>
    public bool IsTied => IsInitializer && Floats is { Length: > 1 } floats && floats.AsSpan().ContainsAnyExcept(floats[0]);

    public int Count => Ints?.Length ?? Floats!.Length;

    /// <summary>What the values take in memory.</summary>
    public long Bytes => (long)(Ints?.Length ?? 0) * sizeof(long) + (long)(Floats?.Length ?? 0) * sizeof(float);

    public bool IsOpen => Ints?.Any(IsOpenSize) == true;

    public bool IsZero => Floats is { Length: > 0 } floats && !floats.AsSpan().ContainsAnyExcept(0f);

    /// <summary>The integers as sizes: open ones as their negative number. Null where one of them is negative and not open.</summary>
    public long[]? Sizes => Ints is null || Ints.Any(value => value < 0 && !IsOpenSize(value)) ? null : [.. Ints.Select(value => (long)ToSize(value))];

    public static bool IsOpenSize(long value) => value < OpenSizes && value >= OpenSizes - (1L << 31);

    public static long FromSize(int size) => size < 0 ? OpenSizes + size : size;

    /// <summary>The size that a value which is open, or not negative, stands for.</summary>
    public static int ToSize(long value) => IsOpenSize(value) ? (int)(value - OpenSizes) : checked((int)value);

    public static FoldedValue Of(params long[] sizes) => new(TensorType.Int64, [sizes.Length], sizes, null);

    /// <summary>The values at other places: <paramref name="indices"/> tells for each of them where it comes from.</summary>
    public FoldedValue Rearranged(ImmutableArray<int> shape, IEnumerable<int> indices) => new(Type, shape,
        Ints is null ? null : [.. indices.Select(i => Ints[i])],
        Floats is null ? null : Pinned(indices.Select(i => Floats[i]), shape)) { Stored = Stored };

    /// <summary>The same values in another shape.</summary>
    public FoldedValue Reshaped(ImmutableArray<int> shape) => this with { Shape = shape };

    private static float[] Pinned(IEnumerable<float> values, ImmutableArray<int> shape)
    {
        var array = GC.AllocateUninitializedArray<float>(shape.Aggregate(1, (product, size) => checked(product * size)), pinned: true);
        var i = 0;
        foreach (var value in values)
        {
            array[i++] = value;
        }

        return array;
    }
}
