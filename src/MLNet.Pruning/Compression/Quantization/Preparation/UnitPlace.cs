namespace MLNet.Pruning.Compression.Quantization.Preparation;

/// <summary>Where the units of a tensor are: index i of a dimension belongs to unit i / inner, counted over and over.</summary>
/// <param name="Dimension">The dimension.</param>
/// <param name="Inner">How many neighbours belong to one unit, as behind a Flatten of channels.</param>
internal readonly record struct UnitPlace(int Dimension, int Inner)
{
    /// <summary>In what an operator computes value by value, aligned from the right.</summary>
    public UnitPlace? In(ImmutableArray<int> from, ImmutableArray<int> to) => this with { Dimension = Dimension + to.Length - from.Length } is var place
        && to[place.Dimension] == from[Dimension] ? place : null;

    /// <summary>Where some dimensions are folded to one value; null where the units are among them.</summary>
    public UnitPlace? Without(int[] folded, bool keep)
    {
        var dimension = Dimension;
        return folded.Contains(dimension) ? null : this with { Dimension = keep ? dimension : dimension - folded.Count(d => d < dimension) };
    }

    /// <summary>In the same values in another shape; null where no single dimension has all units, or sizes behind them are open.</summary>
    public UnitPlace? Reshaped(ImmutableArray<int> from, ImmutableArray<int> to, int units)
    {
        if (Behind(from, Dimension) is not { } behind)
        {
            return null;
        }

        // From a value of one unit to the next, in the order of storage.
        var step = behind * Inner;
        for (var d = to.Length - 1; d >= 0 && to[d] >= 0; d--)
        {
            if (Behind(to, d) is { } rest && rest <= step && step % rest == 0 && to[d] % (step / rest * units) == 0)
            {
                return to[d] == 0 ? null : new(d, (int)(step / rest));
            }
        }

        return null;
    }

    /// <summary>Values of one index of a dimension; null where that is open.</summary>
    private static long? Behind(ImmutableArray<int> shape, int dimension)
        => shape.Skip(dimension + 1).Any(size => size < 0) ? null : shape.Skip(dimension + 1).Aggregate(1L, (product, size) => product * size);
}
