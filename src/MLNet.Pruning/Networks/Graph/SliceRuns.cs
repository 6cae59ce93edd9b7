namespace MLNet.Pruning.Networks.Graph;

/// <summary>The slices of a row-major tensor along one dimension, as runs of consecutive values.</summary>
internal static class SliceRuns
{
    /// <summary>Every run once, in the order of storage: its slice, its first value and its length.</summary>
    public static IEnumerable<(int Slice, int Start, int Length)> Of(IReadOnlyList<int> shape, int dimension)
    {
        var slices = shape[dimension];
        var outer = shape.Take(dimension).Aggregate(1, (product, size) => product * size);
        var length = shape.Skip(dimension + 1).Aggregate(1, (product, size) => product * size);
        for (var run = 0; run < outer * slices; run++)
        {
            yield return (run % slices, run * length, length);
        }
    }
}
