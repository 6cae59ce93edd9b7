using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Groups that are chosen together, by a local search over what the layers that read them give; see <see cref="GroupElimination"/>.</summary>
internal sealed class OsscarImportance : CalibratedImportance
{
    private readonly int _rows;
    private readonly double _damping;
    private readonly Importance? _start;

    public OsscarImportance(int rows, double damping, Importance? start) : base(nameof(Osscar), rows, damping, start)
    {
        (_rows, _start) = (Rows(rows), start);
        _damping = damping is > 0 and < double.PositiveInfinity ? damping
            : throw new ArgumentOutOfRangeException(nameof(damping), damping, "The damping is a finite number above 0.");
    }

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        var layers = OptimalBrainSurgeonImportance.Measure(context, Name, _rows, _damping);
        var start = _start?.Measure(context) ?? OptimalBrainSurgeonImportance.Scores(context, Name, layers, SurgeonOrder.Greedy);
        return new Search(context, layers, start, []);
    }

    /// <param name="context">The network.</param>
    /// <param name="layers">Its layers, by the name of their weight.</param>
    /// <param name="start">Where the search starts.</param>
    /// <param name="found">What the search found the groups of a family to be worth, by the dimension that makes them.</param>
    private sealed class Search(ImportanceContext context, Dictionary<string, SurgeonLayer[]> layers, ImportanceScores start,
        Dictionary<(string Parameter, int Dimension), double[]> found) : ImportanceScores
    {
        public override string? ToString() => start.ToString();

        internal override void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> scores)
            => start.ScoreStructures(parameter, structures, scores);

        internal override bool Counts(ParameterAxis axis) => start.Counts(axis);

        internal override double[]? ScoreFamily(NetworkStructure structure, GroupFamily family)
            => found.GetValueOrDefault(Key(family)) ?? start.ScoreFamily(structure, family);

        internal override double? ScoreGroup(PruningGroup group, Func<Network> without) => start.ScoreGroup(group, without);

        internal override double? ScoreRemoval(Func<Network> without) => start.ScoreRemoval(without);

        internal override ImportanceScores InPattern((int Kept, int Size) pattern) => start.InPattern(pattern);

        internal override ImportanceScores Toward(StepAmount amount)
        {
            var chosen = start.Toward(amount);
            if (!amount.Granularity.Removes || amount.Granularity.IsDepth)
            {
                return chosen == start ? this : new Search(context, layers, chosen, found);
            }

            var (left, structure, worth) = (amount.Drop(chosen, 1), context.Network.Groups(amount.Granularity.Structure),
                new Dictionary<(string, int), double[]>());
            var kept = new KeptIndices(context.Network, left.Network);
            foreach (var family in structure.Families)
            {
                if (kept.Of(family.Axis.Parameter, family.Axis.Dimension) is { } indices
                    && GroupElimination.Of(structure, family, layers, context) is { MayExchange: true } elimination)
                {
                    var axis = structure.Coupling.Axes.IndexOf(family.Axis);
                    bool[] stay = [.. family.Groups.Select(group => group.Entries.All(entry => entry.Axis != axis || indices.Contains(entry.Index)))];
                    worth[Key(family)] = elimination.Worth(elimination.Exchange(stay));
                }
            }

            return new Search(context, layers, chosen, worth);
        }

        internal override PrunedNetwork Compensate(PrunedNetwork pruned)
            => OptimalBrainSurgeonImportance.Compensate(context, layers, start.Compensate(pruned));

        private protected override void Weights(Parameter parameter, int first, Span<float> weights) => start.ScoreWeights(parameter, first, weights);

        private protected override void Slices(Parameter parameter, int dimension, Span<double> slices) => start.ScoreSlices(parameter, dimension, slices);

        private static (string Parameter, int Dimension) Key(GroupFamily family) => (family.Axis.Parameter, family.Axis.Dimension);
    }
}
