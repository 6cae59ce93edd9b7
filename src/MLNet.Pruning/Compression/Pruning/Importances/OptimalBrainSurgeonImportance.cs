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
/// Up to <see cref="ExactInputs"/> inputs, and where all units keep the same, those values are the exact ones, by a system of equations. Else they are found in
/// one sweep over the inputs in which a dropped weight changes only those after it, so that all units share one factor of the inverse (Frantar
/// &amp; Alistarh 2023, "SparseGPT", equation 4 and algorithm 1). Cost: a forward pass a row, and inputs^3 multiply-adds a layer.
/// </remarks>
internal sealed class OptimalBrainSurgeonImportance : CalibratedImportance
{
    public const int ExactInputs = 1024;

    /// <summary>Inputs of a layer whose second moments are looked at together: 134 MB of them.</summary>
    public const int MostInputs = 4096;

    private readonly int _rows;
    private readonly int _exactInputs;
    private readonly double _damping;
    private readonly int _mostInputs;
    private readonly SurgeonOrder _order;

    public OptimalBrainSurgeonImportance(int rows, double damping, SurgeonOrder order = SurgeonOrder.AtOnce, int exactInputs = ExactInputs,
        int mostInputs = MostInputs) : base(nameof(OptimalBrainSurgeon), rows, damping, order)
    {
        (_rows, _exactInputs, _mostInputs, _order) = (Rows(rows), exactInputs, mostInputs, Setting.Defined(order, nameof(order)));
        _damping = damping is > 0 and < double.PositiveInfinity ? damping
            : throw new ArgumentOutOfRangeException(nameof(damping), damping, "The damping is a finite number above 0.");
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context)
        => Scores(context, Name, Measure(context, Name, _rows, _damping, _exactInputs, _mostInputs), _order);

    /// <summary>What the weights of measured layers are worth.</summary>
    internal static ImportanceScores Scores(ImportanceContext context, string name, Dictionary<string, SurgeonLayer[]> layers, SurgeonOrder order)
        => new Surgeon(context, name, layers, order, null);

    /// <summary>The layers that a step may take something of, by the name of their weight, in parts where they have too many inputs.</summary>
    internal static Dictionary<string, SurgeonLayer[]> Measure(ImportanceContext context, string name, int rows, double damping,
        int exactInputs = ExactInputs, int mostInputs = MostInputs)
    {
        using var run = context.Start(name, rows, others: false, shares: true);
        var moments = InputMoments.InParts(context.Network, run.Device, mostInputs, layer => context.Measures(layer.Weights[0]));
        // The moments of all layers; of the largest the inverse, and what is made to get that; of small ones the inverses are kept.
        long[] squares = [.. moments.Select(moment => (long)moment.Inputs.Count * moment.Inputs.Count)];
        MemoryBound.Check(context, name, sizeof(double) * (squares.Sum() + squares.Where(square => square <= (long)exactInputs * exactInputs).Sum()
            + (2 * squares.DefaultIfEmpty().Max())));
        InputMoments.Measure(run, moments);
        return moments.DistinctBy(moment => (moment.Inputs.Weight, moment.Inputs.First)).Select(moment => new SurgeonLayer(moment.Inputs,
            moment.Take(run.Count, damping, context.CancellationToken), exactInputs, context.CancellationToken)).GroupBy(layer => layer.Weight)
            .ToDictionary(layer => layer.Key, layer => layer.ToArray());
    }

    /// <summary>What is left of a network, with the values that leave the least error of the layers that lost something.</summary>
    internal static PrunedNetwork Compensate(ImportanceContext context, IReadOnlyDictionary<string, SurgeonLayer[]> layers, PrunedNetwork pruned)
    {
        var (before, network, kept) = (context.Network, pruned.Network, new KeptIndices(context.Network, pruned.Network));
        var changed = new List<Parameter>();
        foreach (var (name, parts) in layers.Where(layer => network.TryGetParameter(layer.Key, out _)))
        {
            var weight = before[name];
            var axes = LayerInfo.Axes(before.Layers.First(one => one.Weights.Contains(name)), weight);
            float[] Values(WeightMask mask) => parts.Aggregate(weight.Values.ToArray(), (values, part) => part.Compensate(values, mask));
            if (kept.Of(name, axes.Input) is { } inputs)
            {
                int[] places = [.. Places(weight, axes, kept.All(name, axes.Output), inputs)];
                var stays = new bool[weight.Count];
                Array.ForEach(places, place => stays[place] = context.Masks.GetValueOrDefault(name)?[place] != false);
                var values = Values(new(stays));
                changed.Add(network[name].WithValues(Array.ConvertAll(places, place => values[place])));
            }
            else if (pruned.Masks.TryGetValue(name, out var mask) && mask.Count == weight.Count && mask.Kept < mask.Count)
            {
                changed.Add(weight.WithValues(Values(mask)));
            }
        }

        return pruned.WithWeights(pruned.Network.WithParameters(changed));
    }

    /// <summary>Where the weights of units and inputs that stay were stored, in the order in which they are stored then.</summary>
    private static IEnumerable<int> Places(Parameter weight, WeightAxes axes, int[] units, int[] inputs)
    {
        var (taps, isTransposed) = (LayerInputs.Taps(weight), axes.Output == 1);
        return from outer in isTransposed ? inputs : units
            from inner in isTransposed ? units : inputs
            from tap in Enumerable.Range(0, taps)
            select (outer * weight.Shape[1] + inner) * taps + tap;
    }

    /// <param name="context">The network, and what is dropped of it.</param>
    /// <param name="name">Name of the criterion.</param>
    /// <param name="layers">Its layers, by the name of their weight.</param>
    /// <param name="order">In which order weights go.</param>
    /// <param name="chosen">Scores of single weights; null for those of the order where it needs to know no more.</param>
    private sealed class Surgeon(ImportanceContext context, string name, Dictionary<string, SurgeonLayer[]> layers, SurgeonOrder order,
        ImportanceScores? chosen) : ImportanceScores
    {
        private readonly Lazy<ImportanceScores> _scores = new(() => chosen ?? ByParts(context, name, layers, (part, scores) =>
        {
            if (order == SurgeonOrder.Greedy)
            {
                Greedy(context, part).Weights(null, scores);
            }
            else
            {
                part.Score(context.Network[part.Weight].Values, scores);
            }
        }));

        /// <summary>A selection asks for the same pattern again and again.</summary>
        private readonly Dictionary<(int Kept, int Size), ImportanceScores> _patterns = [];

        public override string ToString() => name;

        internal override double[]? ScoreFamily(NetworkStructure structure, GroupFamily family)
            => order == SurgeonOrder.Greedy ? GroupElimination.Of(structure, family, layers, context)?.Scores() : null;

        internal override void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> structureScores)
        {
            if (order == SurgeonOrder.Greedy && layers.TryGetValue(parameter.Name, out var parts))
            {
                var sums = new double[structureScores.Length];
                Array.ForEach(parts, part => Greedy(context, part).Structures(structures, sums));
                sums.CopyTo(structureScores);
            }
            else
            {
                base.ScoreStructures(parameter, structures, structureScores);
            }
        }

        internal override ImportanceScores InPattern((int Kept, int Size) pattern) => order == SurgeonOrder.AtOnce ? this
            : _patterns.TryGetValue(pattern, out var found) ? found
            : _patterns[pattern] = order == SurgeonOrder.Greedy
                ? ByParts(context, name, layers, (part, values) => Greedy(context, part).Weights(pattern, values))
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

        internal override PrunedNetwork Compensate(PrunedNetwork pruned) => OptimalBrainSurgeonImportance.Compensate(context, layers, pruned);

        private protected override void Weights(Parameter parameter, int start, Span<float> weights)
            => _scores.Value.ScoreWeights(parameter, start, weights);

        private protected override void Slices(Parameter parameter, int dimension, Span<double> slices)
            => ScoreStructures(parameter, StructureLayout.Slices(parameter, dimension), slices);

        private static GreedySurgeon Greedy(ImportanceContext context, SurgeonLayer part)
            => new(part, context.Network[part.Weight], context.Masks.GetValueOrDefault(part.Weight), context.CancellationToken);

        private static ImportanceScores ByParts(ImportanceContext context, string name, Dictionary<string, SurgeonLayer[]> layers,
            Action<SurgeonLayer, float[]> score) => OfWeights(name, layers.ToDictionary(layer => layer.Key, layer =>
            {
                var scores = new float[context.Network[layer.Key].Count];
                Array.ForEach(layer.Value, part => score(part, scores));
                return scores;
            }), context.Masks);

        /// <summary>What a sweep chooses comes before all that it does not.</summary>
        private ImportanceScores Sweep(Func<string, long> drop, (int Kept, int Size)? pattern)
        {
            var goes = layers.Keys.ToDictionary(weight => weight, weight => new bool[context.Network[weight].Count]);
            var worth = layers.Keys.ToDictionary(weight => weight, weight => new float[context.Network[weight].Count]);
            foreach (var (name, parts) in layers)
            {
                var weight = context.Network[name];
                foreach (var part in parts)
                {
                    var share = (double)part.Inputs.Count * part.Inputs.Units / weight.Count;
                    new SurgeonSweep(part.Inputs, part.Moments, part.Inverse, order == SurgeonOrder.Blocks, context.CancellationToken)
                        .Choose(weight.Values, context.Masks.GetValueOrDefault(name), (long)Math.Round(share * drop(name)), pattern, LayerInputs.Taps(weight),
                            goes[name], worth[name]);
                }
            }

            var most = worth.SelectMany(layer => layer.Value.Where((_, i) => goes[layer.Key][i])).DefaultIfEmpty(0).Max();
            return OfWeights(name, worth.ToDictionary(layer => layer.Key, layer
                => layer.Value.Select((value, i) => goes[layer.Key][i] ? value : MathF.BitIncrement(most) + value).ToArray()), context.Masks);
        }
    }
}
