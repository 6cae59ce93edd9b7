using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning;

/// <summary>What a layer, or a whole network, holds and costs.</summary>
public sealed record LayerCost
{
    internal LayerCost(string name, string @operator, long parameters, long nonZeros, long liveNonZeros,
        long weights, long nonZeroWeights, long? multiplyAdds, long? liveMultiplyAdds, long denseBytes)
    {
        (Name, Operator, Parameters, NonZeros, LiveNonZeros) = (name, @operator, parameters, nonZeros, liveNonZeros);
        (Weights, NonZeroWeights, DenseBytes) = (weights, nonZeroWeights, denseBytes);
        (MultiplyAdds, MultiplyAddsCount) = (multiplyAdds, OpenCount.Of(multiplyAdds));
        (LiveMultiplyAdds, LiveMultiplyAddsCount) = (liveMultiplyAdds, OpenCount.Of(liveMultiplyAdds));
    }

    /// <summary>The layer's name, or "total".</summary>
    public string Name { get; }

    /// <summary>Its ONNX operator; empty for a total.</summary>
    public string Operator { get; }

    /// <summary>Trained values: weights, biases, scales and shifts.</summary>
    public long Parameters { get; }

    /// <summary>Those that are not zero.</summary>
    public long NonZeros { get; }

    /// <summary>Those that are not zero and lie on a path of non-zero weights from the input to the output.</summary>
    public long LiveNonZeros { get; }

    /// <summary>Values that multiply the layer's input; what pruning counts its sparsity over.</summary>
    public long Weights { get; }

    /// <summary>Those that are not zero.</summary>
    public long NonZeroWeights { get; }

    /// <summary>
    /// Multiplications with a weight, or within a product of two tensors, for one row. Null where their number depends on sizes that are open
    /// until the network runs, or cannot be determined: see <see cref="MultiplyAddsFormula"/>.
    /// </summary>
    public long? MultiplyAdds { get; }

    /// <summary>Those whose weight counts among the live non-zeros; null as <see cref="MultiplyAdds"/>.</summary>
    public long? LiveMultiplyAdds { get; }

    /// <summary>Bytes of all values stored as 32-bit floats, running statistics included.</summary>
    public long DenseBytes { get; }

    /// <summary>
    /// The multiply-adds as text: a number, or a sum of products of open sizes such as "1,536 T + 24 T^2"; a "?" stands for what cannot be
    /// told, for the reason that <see cref="NotCounted"/> gives.
    /// </summary>
    public string MultiplyAddsFormula => MultiplyAddsCount.ToString();

    /// <summary>Why the formula has a "?"; null where it has none, and for a total, whose layers say it.</summary>
    public string? NotCounted { get; internal init; }

    /// <summary>The live multiply-adds as text, in the same way.</summary>
    public string LiveMultiplyAddsFormula => LiveMultiplyAddsCount.ToString();

    internal OpenCount MultiplyAddsCount { get; init; }

    internal OpenCount LiveMultiplyAddsCount { get; init; }

    /// <summary>Share of the weights that are zero, in [0, 1]; NaN for a layer without weights.</summary>
    public double Sparsity => Weights == 0 ? double.NaN : 1 - (double)NonZeroWeights / Weights;
}
