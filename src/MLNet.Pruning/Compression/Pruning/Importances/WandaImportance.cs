using MLNet.Pruning.Scoring;
using static TorchSharp.torch;
using TorchParameter = TorchSharp.Modules.Parameter;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// |w| times the Euclidean norm, over all rows and positions, of what the weight multiplies (Sun et al. 2024, "A Simple and Effective Pruning
/// Approach for Large Language Models"); slices by their sum. The paper compares weights within a row of the layer. Scores the weights of dense
/// layers and convolutions. Cost: two forward passes a row and one backward pass through each layer by itself.
/// </summary>
internal sealed class WandaImportance(int rows) : CalibratedImportance(nameof(Wanda), rows)
{
    private readonly int _rows = Rows(rows);

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        var network = context.Network;
        var layers = network.Layers.Where(layer => layer.Weights.Length == 1 && layer.Node.Operator is "Gemm" or "MatMul" or "Conv" or "ConvTranspose")
            .ToDictionary(layer => layer.Node, layer => new LinearNode(network, layer, run.Device));
        run.ForEachBatch((rows, _, _) => run.Graph.Forward(rows, visit: (node, find) =>
        {
            if (layers.TryGetValue(node, out var layer))
            {
                using var scope = NewDisposeScope();
                // A layer is linear: the derivative of the sum of its outputs on squared inputs is, for each weight, the sum of the squares it multiplies.
                var data = find(layer.Data).detach();
                layer.Run(data * data, find).sum().backward();
            }
        }));
        var weights = layers.Values.Select(layer => layer.Weight).ToHashSet();
        var scores = new Dictionary<string, float[]>();
        foreach (var (name, values) in run.Parameters.Where(parameter => weights.Contains(parameter.Name)))
        {
            scores[name] = Score(values);
        }

        return ImportanceScores.OfWeights(Name, scores, context.Masks);
    }

    private static float[] Score(TorchParameter weight)
    {
        var values = TensorValues.Of(weight);
        var squares = weight.grad is { } gradient ? TensorValues.Of(gradient) : new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            // A factor of the product (alpha of Gemm) may be negative.
            values[i] = MathF.Abs(values[i]) * MathF.Sqrt(MathF.Abs(squares[i]));
        }

        return values;
    }
}
