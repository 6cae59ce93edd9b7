namespace MLNet.Pruning;

/// <summary>What a layer, or a whole network, holds and costs.</summary>
/// <param name="Name">The layer's name, or "total".</param>
/// <param name="Operator">Its ONNX operator; empty for a total.</param>
/// <param name="Parameters">Trained values: weights, biases, scales and shifts.</param>
/// <param name="NonZeros">Those that are not zero.</param>
/// <param name="EffectiveNonZeros">Those that are not zero and lie on a path of non-zero weights from the input to the output.</param>
/// <param name="Weights">Values that multiply the layer's input; what pruning counts its sparsity over.</param>
/// <param name="NonZeroWeights">Those that are not zero.</param>
/// <param name="MultiplyAdds">Multiplications with a weight, or within a product of two tensors, for one row; open sizes other than the batch count as 1.</param>
/// <param name="EffectiveMultiplyAdds">Those whose weight counts among the effective non-zeros.</param>
/// <param name="DenseBytes">Bytes of all values stored as 32-bit floats, running statistics included.</param>
public sealed record LayerCost(string Name, string Operator, long Parameters, long NonZeros, long EffectiveNonZeros,
    long Weights, long NonZeroWeights, long MultiplyAdds, long EffectiveMultiplyAdds, long DenseBytes)
{
    /// <summary>Share of the weights that are zero, in [0, 1]; NaN for a layer without weights.</summary>
    public double Sparsity => Weights == 0 ? double.NaN : 1 - (double)NonZeroWeights / Weights;
}
