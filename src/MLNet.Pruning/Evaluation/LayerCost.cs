namespace MLNet.Pruning;

/// <summary>What a layer, or a whole network, holds and costs.</summary>
/// <param name="Name">The layer's name, or "total".</param>
/// <param name="Operator">Its ONNX operator; empty for a total.</param>
/// <param name="Parameters">Trained values: weights, biases, scales and shifts.</param>
/// <param name="NonZeros">Those that are not zero.</param>
/// <param name="EffectiveNonZeros">Those that are not zero and lie on a path of non-zero weights from the input to the output.</param>
/// <param name="Weights">Values that multiply the layer's input; what pruning counts its sparsity over.</param>
/// <param name="NonZeroWeights">Those that are not zero.</param>
/// <param name="MultiplyAdds">
/// Multiplications with a weight, or within a product of two tensors, for one row. Null where their number depends on sizes that are open
/// until the network runs, or cannot be told: see <see cref="MultiplyAddsFormula"/>.
/// </param>
/// <param name="EffectiveMultiplyAdds">Those whose weight counts among the effective non-zeros; null as <paramref name="MultiplyAdds"/>.</param>
/// <param name="DenseBytes">Bytes of all values stored as 32-bit floats, running statistics included.</param>
public sealed record LayerCost(string Name, string Operator, long Parameters, long NonZeros, long EffectiveNonZeros,
    long Weights, long NonZeroWeights, long? MultiplyAdds, long? EffectiveMultiplyAdds, long DenseBytes)
{
    /// <summary>
    /// The multiply-adds as text: a number, or a sum of products of open sizes such as "1,536 T + 24 T^2"; a "?" stands for the work of
    /// operators that are not known.
    /// </summary>
    public string MultiplyAddsFormula => MultiplyAddsCount.ToString();

    /// <summary>The effective multiply-adds as text, in the same way.</summary>
    public string EffectiveMultiplyAddsFormula => EffectiveMultiplyAddsCount.ToString();

    internal OpenCount MultiplyAddsCount { get; init; } = OpenCount.Of(MultiplyAdds);

    internal OpenCount EffectiveMultiplyAddsCount { get; init; } = OpenCount.Of(EffectiveMultiplyAdds);

    /// <summary>Share of the weights that are zero, in [0, 1]; NaN for a layer without weights.</summary>
    public double Sparsity => Weights == 0 ? double.NaN : 1 - (double)NonZeroWeights / Weights;
}
