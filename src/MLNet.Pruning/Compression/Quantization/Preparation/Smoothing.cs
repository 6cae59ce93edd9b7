namespace MLNet.Pruning.Compression.Quantization.Preparation;

/// <summary>Makes units that dense layers read smaller where they are large, and the weights that read them larger.</summary>
internal static class Smoothing
{
    /// <param name="network">The network, with values.</param>
    /// <param name="alpha">How much of the ranges of activations goes to the weights.</param>
    /// <param name="visit">Shows tensors of a network on the rows that activations are measured on.</param>
    /// <exception cref="ArgumentException">No dense layer reads what can be made smaller.</exception>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    public static Network Run(Network network, double alpha, Action<Network, IReadOnlyList<string>, Action<string, ReadOnlySpan<float>>> visit)
    {
        network = network.FoldBatchNorm();
        // What several nodes in a row make could be divided at each of them.
        var tensors = ScalableTensor.All(network).Where(tensor => tensor.IsReadByDense(network)).DistinctBy(tensor => tensor.Readers[0].Weight.Name).ToArray();
        var shared = SharedInput.All(network, tensors.SelectMany(tensor => tensor.Readers).Select(reader => reader.Weight.Name).ToHashSet()).ToArray();
        if (tensors.Length + shared.Length == 0)
        {
            throw new ArgumentException("No dense layer can be smoothed: none reads what a normalisation makes, or what a layer makes and other dense layers "
                + "alone read, through nothing but what passes a positive factor on.");
        }

        var activations = tensors.Select(tensor => new double[tensor.Units]).Concat(shared.Select(input => new double[input.Units])).ToArray();
        var read = tensors.SelectMany((tensor, i) => tensor.Readers.Select(reader => (reader.Data, i))).DistinctBy(pair => (pair.Data.Name, pair.i))
            .Concat(shared.Select((input, i) => (Data: input.Weights[0] with { Name = input.Tensor }, i: tensors.Length + i)))
            .ToLookup(pair => pair.Data.Name);
        visit(network, [.. read.Select(data => data.Key)], (name, values) =>
        {
            foreach (var (data, i) in read[name])
            {
                data.Raise(values, activations[i]);
            }
        });
        foreach (var (tensor, largest) in tensors.Zip(activations))
        {
            network = tensor.Divide(network, Factors(tensor.Readers.Select(reader => reader.Weight), largest));
        }

        foreach (var (input, largest) in shared.Zip(activations.Skip(tensors.Length)))
        {
            network = input.Divide(network, Factors(input.Weights, largest));
        }

        return network;

        double[] Factors(IEnumerable<UnitSlices> readers, double[] largest)
        {
            var weights = new double[largest.Length];
            foreach (var weight in readers)
            {
                weight.Raise(network[weight.Name], weights);
            }

            return [.. largest.Zip(weights, (activation, weight) => Factor(activation, weight, alpha))];
        }
    }

    /// <summary>1 where a unit is always zero, or nothing reads it.</summary>
    private static double Factor(double activation, double weight, double alpha)
        => activation > 0 && weight > 0 && double.IsFinite(activation) ? Math.Pow(activation, alpha) / Math.Pow(weight, 1 - alpha) : 1;
}
