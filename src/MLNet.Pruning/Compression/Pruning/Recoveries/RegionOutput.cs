using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>What a region puts out in a network and in what is left of it.</summary>
/// <param name="Tensor">Its name in both.</param>
/// <param name="Units">Indices that are left of the dimension of its units; null where all are.</param>
/// <param name="Dimension">That dimension.</param>
internal sealed record RegionOutput(string Tensor, int[]? Units = null, int Dimension = -1)
{
    /// <summary>The first one that is known to be there in both networks; null where the layer does nothing to the logits.</summary>
    /// <param name="step">What became of the network.</param>
    /// <param name="after">What is left of it.</param>
    /// <param name="layer">A layer of that.</param>
    /// <param name="layersOn">See <see cref="Region.Output"/>.</param>
    public static RegionOutput? Of(RecoveryStep step, Network after, Node layer, int layersOn)
    {
        var tensor = Region.Output(after, layer, layersOn, tensor => Find(step, after, tensor) is not null);
        return tensor is null ? null : Find(step, after, tensor) ?? new(tensor);
    }

    private static RegionOutput? Find(RecoveryStep step, Network after, string tensor)
    {
        if (!step.Before.Network.Tensors.TryGetValue(tensor, out var before) || after.Find(tensor) is not { } left || before.Shape.Length != left.Shape.Length)
        {
            return null;
        }

        return before.Shape.Skip(1).SequenceEqual(left.Shape.Skip(1)) ? new(tensor) : Maker(after, tensor) is not { } layer ? null
            : layer.Axes(after[layer.Weights[0]]) is var axes && new RegionOutput(tensor, step.Kept.Of(layer.Weights[0], axes.Output),
                axes.IsConvolution ? 1 : before.Shape.Length - 1) is { Units: { } units } output
                && before.Shape.SetItem(output.Dimension, units.Length).Skip(1).SequenceEqual(left.Shape.Skip(1)) ? output : null;
    }

    /// <summary>The layer whose units a tensor has, behind nodes that keep its shape.</summary>
    private static LayerInfo? Maker(Network network, string tensor)
    {
        while (network.Producer(tensor) is { } node)
        {
            if (network.Layers.First(layer => layer.Node == node) is { Weights: [_] } layer)
            {
                return node.Operator is "Gemm" or "MatMul" or "Conv" or "ConvTranspose" ? layer : null;
            }

            var shape = network.Find(tensor)!.Shape;
            if (node.Inputs.FirstOrDefault(input => network.Parameter(input) is null && network.Graph.Constant(input) is null
                && network.Find(input)?.Shape.SequenceEqual(shape) == true) is not { } input)
            {
                return null;
            }

            tensor = input;
        }

        return null;
    }
}
