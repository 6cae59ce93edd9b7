namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Weights of a few bits; layers compute with floats, or dense layers of blocks as ONNX Runtime's kernel for them does.</summary>
/// <param name="bits">Bits of the integers.</param>
/// <param name="symmetric">Whether as many integers lie below zero as above.</param>
/// <param name="block">Inputs of a dense layer that share a scale; 0 for a scale a channel.</param>
internal sealed class WeightQuantizer(int bits, bool symmetric, int block) : Quantizer
{
    public override string ToString() => Notation.Call(nameof(Weights), bits, symmetric, block);

    internal override Network Run(Network network, QuantizationStep step) => Plan(network, step).Write(step);

    internal override QuantizationPlan Plan(Network network, QuantizationStep step) => LearnedSteps.Of(step, start => Measured(network, start));

    private QuantizationPlan Measured(Network network, QuantizationStep step)
    {
        // As the file will hold them and as it is read, so that masks and what is known of removed units fit the weight before and after.
        network = block == 0 ? network : DenseProducts.Of(network, [.. Blocked(network, step)]);
        var blocked = block == 0 ? [] : Blocked(network, step).Select(layer => (layer.Weight.Name, Axis: 1 - layer.Channel)).Distinct().ToDictionary();
        return new(network, [.. FloatWeights.Of(network, this, step).Select(weight => blocked.TryGetValue(weight.Weight.Name, out var axis)
            ? WeightGrids.Of(weight.Weight, axis, bits, symmetric, step.WeightRange, block: block)
            : WeightGrids.Of(weight.Weight, weight.Layer.Axes(weight.Weight).Output, bits, symmetric, step.WeightRange))]);
    }

    /// <summary>Dense layers that have a scale for each block of inputs: those whose weight all that read it read one way.</summary>
    private static IEnumerable<QuantizableLayer> Blocked(Network network, QuantizationStep step)
        => QuantizableLayer.Of(network, step with { Floats = [] }).GroupBy(layer => layer.Weight.Name)
            .Where(layers => layers.All(layer => !layer.IsConvolution && layer.Channel == layers.First().Channel)
                && layers.Count() == network.Consumers(layers.Key).Count()).SelectMany(layers => layers);
}
