using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// The size of the scale with which batch normalisation hands a unit on (Liu et al. 2017, "Learning Efficient Convolutional Networks through
/// Network Slimming"): of the normalisations in a group, or of the one that reads the slices of a weight. Works best where training pulled the
/// scales towards zero.
/// </summary>
internal sealed class BatchNormImportance() : CalibratedImportance(nameof(BatchNormScale))
{
    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        var network = context.Network;
        var norms = network.Nodes.Where(node => node is { Domain: "", Operator: "BatchNormalization" } && network.TryGetParameter(node.Inputs[1], out _))
            .ToArray();
        var units = new Dictionary<string, (int, double[])>();
        foreach (var norm in norms)
        {
            units[norm.Inputs[1]] = (0, Sizes(network[norm.Inputs[1]]));
        }

        foreach (var layer in network.Layers.Where(layer => layer.Weights.Length == 1))
        {
            if (norms.FirstOrDefault(norm => norm.Inputs[0] == layer.Node.Outputs[0]) is { } norm
                && layer.Axes(network[layer.Weights[0]]).Output is var dimension
                && network[layer.Weights[0]].Shape[dimension] == network[norm.Inputs[1]].Count)
            {
                units[layer.Weights[0]] = (dimension, Sizes(network[norm.Inputs[1]]));
            }
        }

        return new Scales(norms.Select(norm => norm.Inputs[1]).ToHashSet(), new UnitScores(Name, units));
    }

    private static double[] Sizes(Parameter scale) => Array.ConvertAll(scale.Values.ToArray(), value => (double)Math.Abs(value));

    private sealed class Scales(HashSet<string> scales, UnitScores units) : ImportanceScores
    {
        private protected override void Weights(Parameter parameter, int start, Span<float> scores) => units.ScoreWeights(parameter, start, scores);

        private protected override void Slices(Parameter parameter, int dimension, Span<double> scores) => units.ScoreSlices(parameter, dimension, scores);

        public override string ToString() => units.ToString();

        internal override bool Counts(ParameterAxis axis) => scales.Contains(axis.Parameter);
    }
}
