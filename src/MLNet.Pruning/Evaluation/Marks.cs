namespace MLNet.Pruning.Evaluation;

/// <summary>
/// A level for a tensor, and one for each index of those of its dimensions that are told apart: no value at an index has a higher one than the index, nor than
/// the tensor.
/// </summary>
/// <param name="whole">The level of the tensor.</param>
/// <param name="dimensions">Those of the indices; null for a dimension whose indices are not told apart.</param>
internal sealed class Marks(byte whole, byte[]?[] dimensions) : IEquatable<Marks>
{
    public byte Whole { get; set; } = whole;

    public byte[]?[] Dimensions => dimensions;

    /// <summary>The highest level of a value at an index of a dimension.</summary>
    public byte At(int dimension, int index) => dimensions[dimension] is { } levels ? Math.Min(levels[index], Whole) : Whole;

    /// <summary>The higher of these and those of another tensor of the same shape, for the indices that are told apart here.</summary>
    public Marks Raised(Marks other) => other.Whole == 0 ? this : new(Math.Max(Whole, other.Whole),
        [.. dimensions.Select((levels, d) => levels?.Select((_, i) => Math.Max(At(d, i), other.At(d, i))).ToArray())]);

    public bool Equals(Marks? other) => other is not null && Whole == other.Whole && dimensions.Length == other.Dimensions.Length
        && dimensions.Zip(other.Dimensions).All(pair => pair.First is { } levels ? pair.Second is { } others && levels.AsSpan().SequenceEqual(others)
            : pair.Second is null);

    public override bool Equals(object? obj) => Equals(obj as Marks);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Whole);
        foreach (var levels in dimensions)
        {
            hash.AddBytes(levels);
        }

        return hash.ToHashCode();
    }

    /// <summary>Lowers the level of the tensor where no index of a dimension has it.</summary>
    public Marks Settle()
    {
        foreach (var levels in dimensions)
        {
            Whole = levels is null ? Whole : Math.Min(Whole, levels.DefaultIfEmpty().Max());
        }

        return this;
    }

    /// <summary>One level for a tensor of a shape of numbers and all its indices.</summary>
    public static Marks Uniform(ImmutableArray<int> shape, byte level) => new(level, [.. shape.Select(size => Enumerable.Repeat(level, size).ToArray())]);

    /// <summary>Those of a parameter: one where values are not zero.</summary>
    public static Marks NonZeros(Parameter parameter)
    {
        if (parameter.Count == 0)
        {
            // Its other dimensions may be of any size.
            return new(0, new byte[]?[parameter.Shape.Length]);
        }

        var marks = Uniform(parameter.Shape, 0);
        foreach (var place in Places(parameter))
        {
            marks.Whole = 1;
            for (var d = 0; d < place.Length; d++)
            {
                marks.Dimensions[d]![place[d]] = 1;
            }
        }

        return marks;
    }

    /// <summary>How many values of a parameter are not zero, at indices of a level above none.</summary>
    public long CountNonZeros(Parameter parameter) => Places(parameter).LongCount(place =>
    {
        var level = Whole;
        for (var d = 0; d < place.Length && level > 0; d++)
        {
            level = At(d, place[d]);
        }

        return level > 0;
    });

    /// <summary>The indices of each value that is not zero, in an array that is used again for the next.</summary>
    private static IEnumerable<int[]> Places(Parameter parameter)
    {
        var place = new int[parameter.Shape.Length];
        for (var i = 0; i < parameter.Count; i++)
        {
            if (parameter.Values[i] != 0)
            {
                for (var (d, rest) = (place.Length - 1, i); d >= 0; rest /= parameter.Shape[d--])
                {
                    place[d] = rest % parameter.Shape[d];
                }

                yield return place;
            }
        }
    }
}
