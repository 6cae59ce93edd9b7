namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Weights of a few bits; layers compute with floats.</summary>
internal sealed class WeightQuantizer(int bits, bool symmetric) : Quantizer
{
    public override string ToString() => Notation.Call(nameof(Weights), bits, symmetric);

    internal override Network Run(Network network, QuantizationStep step) => Plan(network, step).Write(step);

    internal override QuantizationPlan Plan(Network network, QuantizationStep step) => new(network, [.. FloatWeights.Of(network, this, step)
        .Select(weight => WeightGrids.Of(weight.Weight, weight.Layer.Axes(weight.Weight).Output, bits, symmetric, step.WeightRange))]);
}
