namespace MLNet.Pruning.Networks.Graph;

/// <summary>The tensor of a file that holds a parameter's values, so that changed ones can be put back there.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Transposes">The transposes between it and the parameter, in order: the shape that each reads, and its order of dimensions.</param>
internal sealed record WeightSource(string Name, ImmutableArray<(ImmutableArray<int> Shape, ImmutableArray<int> Order)> Transposes)
{
    public WeightSource Transposed(ImmutableArray<int> shape, IEnumerable<int> order) => this with { Transposes = Transposes.Add((shape, [.. order])) };

    /// <summary>The parameter's values in the order of the file.</summary>
    public float[] Stored(float[] values)
    {
        foreach (var (shape, order) in Transposes.Reverse())
        {
            var places = TensorPlaces.Transposed(shape, order);
            var stored = new float[values.Length];
            var i = 0;
            foreach (var place in places)
            {
                stored[place] = values[i++];
            }

            values = stored;
        }

        return values;
    }
}
