using MLNet.Pruning.Scoring;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// The Euclidean norm, over all rows and positions, of what each weight of a dense layer or convolution multiplies. Cost: two forward passes a row and one
/// backward pass through each layer by itself.
/// </summary>
internal static class InputNorms
{
    /// <summary>By name of the weight, a norm for each value in row-major order.</summary>
    public static Dictionary<string, float[]> Of(Network network, CalibrationRun run)
    {
        var layers = network.Layers.Where(layer => layer.Weights.Length == 1 && layer.Node.Operator is "Gemm" or "MatMul" or "Conv" or "ConvTranspose")
            .ToDictionary(layer => layer.Node, layer => new LinearNode(network, layer, run.Device));
        // Of the network's own pass nothing is kept: only a layer at a time is derived.
        using (no_grad())
        {
            run.ForEachBatch((rows, _, _) => run.Graph.Forward(rows, visit: (node, find) =>
            {
                if (layers.TryGetValue(node, out var layer))
                {
                    using var scope = NewDisposeScope();
                    using var grad = enable_grad();
                    // A layer is linear: the derivative of the sum of its outputs on squared inputs is, for each weight, the sum of the squares it multiplies.
                    var data = find(layer.Data);
                    layer.Run(data * data, find).sum().backward();
                }
            }));
        }

        var weights = layers.Values.Select(layer => layer.Weight).ToHashSet();
        // A factor of the product (alpha of Gemm) may be negative.
        return run.Parameters.Where(parameter => weights.Contains(parameter.Name)).ToDictionary(parameter => parameter.Name, parameter
            => parameter.Values.grad is { } squares ? Array.ConvertAll(TensorValues.Of(squares), square => MathF.Sqrt(MathF.Abs(square)))
            : new float[parameter.Values.numel()]);
    }
}
