namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Dense layers and convolutions between integers.</summary>
/// <param name="perChannel">Whether each output of a layer has a scale of its own.</param>
/// <param name="signed">Whether what lies between layers is held as signed bytes.</param>
internal sealed class Int8Quantizer(bool perChannel, bool signed) : Quantizer
{
    public override string ToString() => signed ? Notation.Call(nameof(Int8), perChannel, signed) : Notation.Call(nameof(Int8), perChannel);

    internal override Network Run(Network network, QuantizationStep step) => Plan(network, step).Write(step);

    internal override QuantizationPlan Plan(Network network, QuantizationStep step) => LearnedSteps.Of(step, start => Measured(network, start));

    private QuantizationPlan Measured(Network network, QuantizationStep step)
    {
        network = network.FoldBatchNorm();
        var layers = QuantizableLayer.Of(network, step);
        if (layers.Count == 0)
        {
            throw step.Nothing(this);
        }

        var tensors = new QuantizedTensors(network, layers);
        var plan = new QuantizationPlan(network, [])
        {
            IsSigned = signed,
            Layers = layers,
            Tensors = [.. tensors.Names.Select(tensor => (tensor, tensors.Root(tensor)))],
            Ranges = ActivationRanges.Measure(network, [.. tensors.Names.Select(tensors.Root).Distinct()], step),
        };
        return plan with { Weights = [.. layers.GroupBy(layer => layer.Weight.Name).Select(layer => Grid(plan, [.. layer], step))] };
    }

    /// <param name="plan">Ranges of what the layers read.</param>
    /// <param name="layers">The layers that multiply with one weight.</param>
    /// <param name="step">How.</param>
    private WeightGrid Grid(QuantizationPlan plan, QuantizableLayer[] layers, QuantizationStep step)
    {
        // One weight of several layers has one grid; where they read it along different dimensions, one scale.
        var weight = layers[0].Weight;
        var axis = perChannel && layers.All(layer => layer.Channel == layers[0].Channel) ? layers[0].Channel : -1;
        return WeightGrids.Of(weight, axis, step.Target.WeightBits, symmetric: true, step.WeightRange,
            plan.LeastScales(weight.Name, axis < 0 ? 1 : weight.Shape[axis]));
    }
}
