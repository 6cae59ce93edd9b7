using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>A criterion for some layers and another for others, as rules say.</summary>
internal sealed class LayeredImportance(Importance others, IReadOnlyList<LayerRule> rules) : Importance
{
    public override string ToString() => string.Join(", ",
        rules.Where(rule => rule.Importance is not null).Select(rule => $"{rule.Importance} for {rule}").Append($"{others}"));

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        var criteria = rules.Select(rule => rule.Importance ?? others).Append(others).ToArray();
        var bound = criteria.Distinct().ToDictionary(criterion => criterion, criterion => criterion.Measure(context));
        var layers = LayerRule.Divide(rules, context.Network);
        var own = context.Network.Layers.SelectMany(layer => layer.Weights.Select(weight => (Weight: weight, Layer: layer.Node.Name)))
            .DistinctBy(pair => pair.Weight)
            .ToDictionary(pair => pair.Weight, pair => bound[criteria[Enumerable.Range(0, criteria.Length).First(part => layers[part].Contains(pair.Layer))]]);
        return new Bound(bound[others], own);
    }

    private sealed class Bound(ImportanceScores others, IReadOnlyDictionary<string, ImportanceScores> own) : ImportanceScores
    {
        private protected override void Weights(Parameter parameter, int start, Span<float> scores)
            => Of(parameter.Name).ScoreWeights(parameter, start, scores);

        private protected override void Slices(Parameter parameter, int dimension, Span<double> scores)
            => Of(parameter.Name).ScoreSlices(parameter, dimension, scores);

        internal override void ScoreStructures(Parameter parameter, StructureLayout candidates, Span<double> scores)
            => Of(parameter.Name).ScoreStructures(parameter, candidates, scores);

        internal override bool Counts(ParameterAxis axis) => Of(axis.Parameter).Counts(axis);

        /// <summary>A group is scored by the criterion of the layer that makes it.</summary>
        internal override double? ScoreGroup(PruningGroup group, Func<Network> without)
            => Of(group.Axis.Parameter).ScoreGroup(group, without);

        internal override double[]? ScoreFamily(NetworkStructure structure, GroupFamily family) => Of(family.Axis.Parameter).ScoreFamily(structure, family);

        internal override ImportanceScores InPattern((int Kept, int Size) pattern) => With(scores => scores.InPattern(pattern));

        /// <summary>A step takes something of the layers of one rule.</summary>
        internal override ImportanceScores Toward(StepAmount amount)
        {
            var criterion = Of(amount.Weights.First());
            return With(scores => scores == criterion ? scores.Toward(amount) : scores);
        }

        /// <summary>Each criterion makes up for what was dropped in its own layers.</summary>
        internal override PrunedNetwork Compensate(PrunedNetwork pruned)
        {
            var parameters = own.Values.Append(others).Distinct().SelectMany(criterion => criterion.Compensate(pruned) is var made && made == pruned ? []
                : made.Weights.Parameters.Where(parameter => Of(parameter.Name) == criterion)).ToArray();
            return parameters.Length == 0 ? pruned : pruned.WithWeights(pruned.Weights.WithParameters(parameters));
        }

        private Bound With(Func<ImportanceScores, ImportanceScores> change)
        {
            var changed = own.Values.Append(others).Distinct().ToDictionary(scores => scores, change);
            return changed.All(pair => pair.Key == pair.Value) ? this : new(changed[others], own.ToDictionary(pair => pair.Key, pair => changed[pair.Value]));
        }

        private ImportanceScores Of(string parameter) => own.GetValueOrDefault(parameter, others);
    }
}
