namespace MLNet.Pruning.Compression.Quantization.Preparation;

/// <summary>Gives what makes a unit and what reads it the same range of weights, so that one scale fits all units of a layer.</summary>
internal static class CrossLayerEqualization
{
    /// <summary>A layer between two others is balanced with each in turn: what is left halves, or nearly, with every pass.</summary>
    private const int Passes = 32;

    private const double Balanced = 1e-3;

    /// <exception cref="ArgumentException">No layers are joined so that they can be equalised.</exception>
    public static Network Run(Network network, CancellationToken cancellation)
    {
        network = network.FoldBatchNorm();
        var tensors = ScalableTensor.All(network).Where(tensor => tensor.IsOfLayer).ToArray();
        if (tensors.Length == 0)
        {
            throw new ArgumentException("No layers can be equalised: between none of them lies only what passes a positive factor on, such as Relu, pooling "
                + "and reshaping.");
        }

        for (var pass = 0; pass < Passes; pass++)
        {
            var largest = 0.0;
            foreach (var tensor in tensors)
            {
                cancellation.ThrowIfCancellationRequested();
                var (made, read) = (new double[tensor.Units], new double[tensor.Units]);
                tensor.Made.Raise(network[tensor.Made.Name], made);
                foreach (var (weight, _) in tensor.Readers)
                {
                    weight.Raise(network[weight.Name], read);
                }

                var factors = made.Zip(read, Factor).ToArray();
                largest = Math.Max(largest, factors.Max(factor => Math.Abs(Math.Log(factor))));
                network = tensor.Divide(network, factors);
            }

            if (largest < Balanced)
            {
                break;
            }
        }

        return network;
    }

    /// <summary>With s = sqrt(r1 / r2), r1 / s = r2 s; 1 where a unit is pruned, or nothing reads it.</summary>
    private static double Factor(double made, double read) => made > 0 && read > 0 ? Math.Sqrt(made / read) : 1;
}
