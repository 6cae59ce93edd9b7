namespace MLNet.Pruning.Networks.Graph;

/// <summary>Where the values of a tensor lie in row-major order.</summary>
internal static class TensorPlaces
{
    /// <summary>How many values a shape has.</summary>
    public static long Count(ImmutableArray<int> shape) => shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>For each place of a transposed tensor, where in the tensor its value lies.</summary>
    public static IEnumerable<int> Transposed(ImmutableArray<int> shape, ImmutableArray<int> order)
    {
        var strides = Strides(shape);
        return Walk([.. order.Select(i => shape[i])], [.. order.Select(i => strides[i])], 0);
    }

    /// <summary>How many places apart neighbours of each dimension are.</summary>
    public static int[] Strides(ImmutableArray<int> shape)
    {
        var strides = new int[shape.Length];
        for (int i = shape.Length - 1, stride = 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }

        return strides;
    }

    /// <summary>Places in row-major order of a shape whose dimensions are so many places apart.</summary>
    public static IEnumerable<int> Walk(ImmutableArray<int> shape, int[] steps, int start)
    {
        var count = Count(shape);
        var index = new int[shape.Length];
        var place = start;
        for (long i = 0; i < count; i++)
        {
            yield return place;
            for (var d = shape.Length - 1; d >= 0; d--)
            {
                place += steps[d];
                if (++index[d] < shape[d])
                {
                    break;
                }

                place -= steps[d] * shape[d];
                index[d] = 0;
            }
        }
    }
}
