using MLNet.Pruning.Networks;
using MLNet.Pruning.Networks.Operators;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

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
    private readonly SurgeonOrder _order;

    public OptimalBrainSurgeonImportance(int rows, double damping, SurgeonOrder order = SurgeonOrder.AtOnce, int exactInputs = ExactInputs)
        : base(nameof(OptimalBrainSurgeon), rows, damping, order)
    {
        (_rows, _exactInputs, _order) = (Rows(rows), exactInputs, Setting.Defined(order, nameof(order)));
        _damping = damping is > 0 and < double.PositiveInfinity ? damping
            : throw new ArgumentOutOfRangeException(nameof(damping), damping, "The damping is a finite number above 0.");
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context)
        => Scores(context, Name, Measure(context, Name, _rows, _damping, _exactInputs), _order);

    /// <summary>What the weights of measured layers are worth.</summary>
    internal static ImportanceScores Scores(ImportanceContext context, string name, Dictionary<string, SurgeonLayer> layers, SurgeonOrder order)
        => new Surgeon(context, name, layers, order, null);

    /// <summary>The layers that a step may take something of, by the name of their weight.</summary>
    internal static Dictionary<string, SurgeonLayer> Measure(ImportanceContext context, string name, int rows, double damping, int exactInputs = ExactInputs)
    {
        using var run = context.Start(name, rows);
        var moments = InputMoments.Of(context.Network, run.Device, layer => context.Measures(layer.Weights[0]));
        InputMoments.Measure(run, moments);
        return moments.Values.Select(moment => new SurgeonLayer(moment.Inputs, moment.Read(run.Count, damping, context.CancellationToken), exactInputs,
            context.CancellationToken)).DistinctBy(layer => layer.Weight).ToDictionary(layer => layer.Weight);
    }

    /// <summary>What is left of a network, with the values that leave the least error of the layers that lost something.</summary>
    internal static PrunedNetwork Compensate(ImportanceContext context, IEnumerable<SurgeonLayer> layers, PrunedNetwork pruned)
    {
        var (before, network, kept) = (context.Network, pruned.Network, new KeptIndices(context.Network, pruned.Network));
        var changed = new List<Parameter>();
        foreach (var layer in layers.Where(layer => network.TryGetParameter(layer.Weight, out _)))
        {
            var weight = before[layer.Weight];
            var axes = LayerInfo.Axes(before.Layers.First(one => one.Weights.Contains(layer.Weight)), weight);
            if (kept.Of(layer.Weight, axes.Input) is { } inputs)
            {
                changed.Add(network[layer.Weight].WithValues(layer.Compensate(weight.Values, kept.All(layer.Weight, axes.Output), inputs,
                    Taps(weight), context.Masks.GetValueOrDefault(layer.Weight))));
            }
            else if (pruned.Masks.TryGetValue(layer.Weight, out var mask) && mask.Count == weight.Count && mask.Kept < mask.Count)
            {
                changed.Add(weight.WithValues(layer.Compensate(weight.Values, mask)));
            }
        }

        return pruned.WithWeights(pruned.Network.WithParameters(changed));
    }

    /// <summary>Weights of a kernel, which is what one index of the inputs stands for.</summary>
    internal static int Taps(Parameter weight) => weight.Shape.Skip(2).Aggregate(1, (product, size) => product * size);

    /// <param name="context">The network, and what is dropped of it.</param>
    /// <param name="name">Name of the criterion.</param>
    /// <param name="layers">Its layers, by the name of their weight.</param>
    /// <param name="order">In which order weights go.</param>
    /// <param name="chosen">Scores of single weights; null for those of the order where it needs to know no more.</param>
    private sealed class Surgeon(ImportanceContext context, string name, Dictionary<string, SurgeonLayer> layers, SurgeonOrder order,
        ImportanceScores? chosen) : ImportanceScores
    {
        private readonly Lazy<ImportanceScores> _scores = new(() => chosen ?? OfWeights(name, layers.ToDictionary(layer => layer.Key, layer
            => order == SurgeonOrder.Greedy ? Greedy(context, layer.Value).Weights() : layer.Value.Score(context.Network[layer.Key].Values)), context.Masks));

        /// <summary>A selection asks for the same pattern again and again.</summary>
        private readonly Dictionary<(int Kept, int Size), ImportanceScores> _patterns = [];

        public override string ToString() => name;

        internal override double[]? ScoreFamily(NetworkStructure structure, GroupFamily family)
            => order == SurgeonOrder.Greedy ? GroupElimination.Of(structure, family, layers, context)?.Scores() : null;

        internal override void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> structureScores)
        {
            if (order == SurgeonOrder.Greedy && layers.ContainsKey(parameter.Name))
            {
                Greedy(context, layers[parameter.Name]).Structures(structures).CopyTo(structureScores);
            }
            else
            {
                base.ScoreStructures(parameter, structures, structureScores);
            }
        }

        internal override ImportanceScores InPattern((int Kept, int Size) pattern) => order == SurgeonOrder.AtOnce ? this
            : _patterns.TryGetValue(pattern, out var found) ? found
            : _patterns[pattern] = order == SurgeonOrder.Greedy
                ? Of(layers.ToDictionary(layer => layer.Key, layer => Greedy(context, layer.Value).Weights(pattern)))
                : Sweep(_ => 0, pattern);

        internal override ImportanceScores Toward(StepAmount amount)
        {
            if (order is SurgeonOrder.AtOnce or SurgeonOrder.Greedy || !amount.Granularity.IsSingle)
            {
                return this;
            }

            var left = amount.Drop(_scores.Value, 1);
            return new Surgeon(context, name, layers, order, Sweep(weight => left.Masks.TryGetValue(weight, out var mask) ? mask.Count - mask.Kept : 0, null));
        }

        internal override PrunedNetwork Compensate(PrunedNetwork pruned) => OptimalBrainSurgeonImportance.Compensate(context, layers.Values, pruned);

        private protected override void Weights(Parameter parameter, int start, Span<float> weights)
            => _scores.Value.ScoreWeights(parameter, start, weights);

        private protected override void Slices(Parameter parameter, int dimension, Span<double> slices)
            => ScoreStructures(parameter, StructureLayout.Slices(parameter, dimension), slices);

        private ImportanceScores Of(Dictionary<string, float[]> values) => OfWeights(name, values, context.Masks);

        private static GreedySurgeon Greedy(ImportanceContext context, SurgeonLayer layer)
            => new(layer, context.Network[layer.Weight], context.Masks.GetValueOrDefault(layer.Weight), context.CancellationToken);

        /// <summary>What a sweep chooses comes before all that it does not.</summary>
        private ImportanceScores Sweep(Func<string, long> drop, (int Kept, int Size)? pattern)
        {
            var chosen = layers.ToDictionary(layer => layer.Key, layer => new SurgeonSweep(layer.Value.Inputs, layer.Value.Moments, layer.Value.Inverse,
                order == SurgeonOrder.Blocks, context.CancellationToken).Choose(context.Network[layer.Key].Values, context.Masks.GetValueOrDefault(layer.Key),
                drop(layer.Key), pattern, Taps(context.Network[layer.Key])));
            var most = chosen.Values.SelectMany(one => one.Worth.Where((_, i) => one.Goes[i])).DefaultIfEmpty(0).Max();
            return Of(chosen.ToDictionary(layer => layer.Key, layer => layer.Value.Worth.Select((worth, i)
                => layer.Value.Goes[i] ? worth : MathF.BitIncrement(most) + worth).ToArray()));
        }
    }
}
