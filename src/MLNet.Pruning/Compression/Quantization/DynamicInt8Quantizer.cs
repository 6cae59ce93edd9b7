namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Dense layers between integers whose range is measured on each batch as it comes.</summary>
/// <param name="perChannel">Whether each output of a layer has a scale of its own.</param>
internal sealed class DynamicInt8Quantizer(bool perChannel) : Quantizer
{
    public override string ToString() => Notation.Call(nameof(DynamicInt8), perChannel);

    internal override Network Run(Network network, QuantizationStep step) => Plan(network, step).Write(step);

    internal override QuantizationPlan Plan(Network network, QuantizationStep step) => LearnedSteps.Of(step, start => Measured(network, start));

    private QuantizationPlan Measured(Network network, QuantizationStep step)
    {
        network = network.FoldBatchNorm();
        network = DenseProducts.Of(network, Layers(network, step));
        var layers = Layers(network, step with { Floats = [] });
        return layers.Length == 0 ? throw step.Nothing(this) : new(network, [.. layers.DistinctBy(layer => layer.Weight.Name).Select(layer
            => WeightGrids.Of(layer.Weight, perChannel ? 1 : -1, step.Target.WeightBits, symmetric: true, step.WeightRange))])
        {
            DynamicTensors = [.. layers.Select(layer => layer.Node.Inputs[0]).Distinct()],
        };
    }

    /// <summary>Those whose weight all that read it multiply with as [inputs, outputs], once products and sums stand apart.</summary>
    private static QuantizableLayer[] Layers(Network network, QuantizationStep step)
    {
        var layers = QuantizableLayer.Of(network, step).ToLookup(layer => layer.Weight.Name);
        var (taken, left) = (new List<QuantizableLayer>(), new List<(QuantizableLayer Layer, string Reason)>());
        foreach (var shared in layers)
        {
            var reason = shared.Any(layer => layer.IsConvolution) ? "ONNX Runtime has no fast convolution of integers with ranges of each batch"
                : shared.Count() < network.Consumers(shared.Key).Count() || shared.Any(layer => layer.Channel != shared.First().Channel)
                    ? "others read its weight another way" : null;
            if (reason is null)
            {
                taken.AddRange(shared);
            }
            else
            {
                left.AddRange(shared.Select(layer => (layer, reason)));
            }
        }

        step.Floats.AddRange(left.Select(one => (one.Layer.Node.Name, one.Reason)));
        return [.. taken];
    }
}
