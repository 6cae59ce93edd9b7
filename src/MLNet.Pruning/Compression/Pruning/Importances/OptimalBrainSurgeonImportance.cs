using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// w^2 / (2 [H^-1]_jj): the least error of a unit's output without the weight, when the unit's other weights make up for it, with the second
/// moments H of the layer's inputs (Hassibi, Stork &amp; Wolff 1993, "Optimal Brain Surgeon", equation 5, layer by layer as in Dong et al. 2017);
/// slices by their sum. When weights have been set to zero, or inputs removed, the others of their unit get the values that leave the least error.
/// </summary>
/// <remarks>
/// Up to <see cref="ExactInputs"/> inputs, those values are the exact ones, by a system of equations for each unit. Beyond, they are found in
/// one sweep over the inputs in which a dropped weight changes only those after it, so that all units share one factor of the inverse (Frantar
/// &amp; Alistarh 2023, "SparseGPT", equation 4 and algorithm 1). Cost: a forward pass a row, and inputs^3 multiply-adds a layer.
/// </remarks>
internal sealed class OptimalBrainSurgeonImportance : CalibratedImportance
{
    public const int ExactInputs = 1024;

    private readonly int _rows;
    private readonly int _exactInputs;
    private readonly double _damping;

    public OptimalBrainSurgeonImportance(int rows, double damping, int exactInputs = ExactInputs) : base(nameof(OptimalBrainSurgeon), rows, damping)
    {
        (_rows, _exactInputs, _damping) = (Rows(rows), exactInputs, damping is > 0 and < double.PositiveInfinity ? damping
            : throw new ArgumentOutOfRangeException(nameof(damping), damping, "The damping is a finite number above 0."));
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        var moments = InputMoments.Of(context.Network, run.Device, layer => context.Measures(layer.Weights[0]));
        InputMoments.Measure(run, moments);
        var cancellation = context.CancellationToken;
        var layers = moments.Values.Select(moment => new SurgeonLayer(moment.Inputs, moment.Read(run.Count, _damping, cancellation), _exactInputs,
            cancellation))
            .DistinctBy(layer => layer.Weight).ToArray();
        var scores = layers.ToDictionary(layer => layer.Weight, layer => layer.Score(context.Network[layer.Weight].Values));
        return new Surgeon(context.Network, context.Masks, layers, ImportanceScores.OfWeights(Name, scores, context.Masks));
    }

    private sealed class Surgeon(Network before, IReadOnlyDictionary<string, WeightMask> masks, SurgeonLayer[] layers, ImportanceScores scores)
        : ImportanceScores
    {
        private protected override void Weights(Parameter parameter, int start, Span<float> weights) => scores.ScoreWeights(parameter, start, weights);

        public override string? ToString() => scores.ToString();

        internal override PrunedNetwork Compensate(PrunedNetwork pruned)
        {
            var (network, kept) = (pruned.Network, new KeptIndices(before, pruned.Network));
            var changed = new List<Parameter>();
            foreach (var layer in layers.Where(layer => network.TryGetParameter(layer.Weight, out _)))
            {
                var weight = before[layer.Weight];
                var axes = LayerInfo.Axes(before.Layers.First(one => one.Weights.Contains(layer.Weight)), weight);
                if (kept.Of(layer.Weight, axes.Input) is { } inputs)
                {
                    var taps = weight.Shape.Skip(2).Aggregate(1, (product, size) => product * size);
                    changed.Add(network[layer.Weight].WithValues(layer.Compensate(weight.Values, kept.All(layer.Weight, axes.Output), inputs, taps,
                        masks.GetValueOrDefault(layer.Weight))));
                }
                else if (pruned.Masks.TryGetValue(layer.Weight, out var mask) && mask.Count == weight.Count && mask.Kept < mask.Count)
                {
                    changed.Add(weight.WithValues(layer.Compensate(weight.Values, mask)));
                }
            }

            return pruned.WithWeights(pruned.Network.WithParameters(changed));
        }
    }
}
