using MLNet.Pruning.Scoring;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// |w| (alpha G + |x|): |x| is the Euclidean norm of what the weight multiplies, as in <see cref="WandaImportance"/>, but the root of the mean over rows of its
/// square, and G that of the square of the gradient of the norm of what the layer's <see cref="Region"/> puts out for a row (Yang et al. 2025, "Wanda++:
/// Pruning Large Language Models via Regional Gradients", equations 3 and 4, where a region is a decoder's block); slices by their sum. Cost: beside that of
/// Wanda a forward pass a row, each row alone, and a backward pass through each region.
/// </summary>
internal sealed class WandaPlusPlusImportance : CalibratedImportance
{
    private readonly int _rows;
    private readonly double _alpha;
    private readonly int _layersOn;

    public WandaPlusPlusImportance(int rows, double alpha, int layersOn) : base(nameof(WandaPlusPlus), rows, alpha, layersOn)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layersOn);
        (_rows, _layersOn) = (Rows(rows), layersOn);
        _alpha = alpha is >= 0 and < double.PositiveInfinity ? alpha
            : throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "The factor of the gradients is a finite number of at least 0.");
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        var scores = InputNorms.Of(context.Network, run);
        var gradients = RegionalGradients(context, run, scores.Keys);
        var root = Math.Sqrt(run.Count);
        foreach (var (name, norms) in scores)
        {
            var weights = context.Network[name].Values;
            for (var i = 0; i < norms.Length; i++)
            {
                norms[i] = (float)(Math.Abs(weights[i]) * (_alpha * gradients[name][i] + norms[i] / root));
            }
        }

        return ImportanceScores.OfWeights(Name, scores, context.Masks);
    }

    /// <summary>The root of the mean over rows of squared gradients, by parameter.</summary>
    private Dictionary<string, float[]> RegionalGradients(ImportanceContext context, CalibrationRun run, IReadOnlyCollection<string> weights)
    {
        var regions = context.Network.Layers.Where(layer => layer.Weights is [var weight] && weights.Contains(weight) && context.Measures(weight))
            .Select(layer => (Weight: layer.Weights[0], Output: Region.Output(context.Network, layer.Node, _layersOn)))
            .Where(region => region.Output is not null)
            .ToLookup(region => region.Output!, region => region.Weight);
        var squares = new SquaredGradients(run);
        run.ForEachBatch((rows, _, share) =>
        {
            var norms = new List<(Tensor Norm, string[] Weights)>();
            run.Graph.Forward(rows, visit: (node, find) => norms.AddRange(node.Outputs.Where(regions.Contains)
                .Select(output => (find(output).norm(), regions[output].Distinct().ToArray()))));
            foreach (var (norm, names) in norms)
            {
                var slopes = autograd.grad([norm], [.. names.Select(name => run.Graph.Parameters[name])], retain_graph: true, allow_unused: true);
                foreach (var (name, slope) in names.Zip(slopes))
                {
                    squares.Add(name, slope, share);
                }
            }
        }, size: 1);
        return squares.Roots();
    }
}
