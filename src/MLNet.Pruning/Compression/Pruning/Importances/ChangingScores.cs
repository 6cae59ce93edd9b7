using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Scores with a change of the weights that stay.</summary>
/// <param name="scores">The scores.</param>
/// <param name="change">The change.</param>
internal sealed class ChangingScores(ImportanceScores scores, Func<PrunedNetwork, PrunedNetwork> change) : ImportanceScores
{
    public override string? ToString() => scores.ToString();

    internal override void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> structureScores)
        => scores.ScoreStructures(parameter, structures, structureScores);

    internal override bool Counts(ParameterAxis axis) => scores.Counts(axis);

    internal override double? ScoreGroup(PruningGroup group, Func<Network> without) => scores.ScoreGroup(group, without);

    internal override double? ScoreRemoval(Func<Network> without) => scores.ScoreRemoval(without);

    internal override double[]? ScoreFamily(NetworkStructure structure, GroupFamily family) => scores.ScoreFamily(structure, family);

    internal override ImportanceScores InPattern((int Kept, int Size) pattern) => With(scores.InPattern(pattern));

    internal override ImportanceScores Toward(StepAmount amount) => With(scores.Toward(amount));

    internal override PrunedNetwork Compensate(PrunedNetwork pruned) => change(scores.Compensate(pruned));

    private protected override void Weights(Parameter parameter, int start, Span<float> weights) => scores.ScoreWeights(parameter, start, weights);

    private protected override void Slices(Parameter parameter, int dimension, Span<double> slices) => scores.ScoreSlices(parameter, dimension, slices);

    private ChangingScores With(ImportanceScores other) => other == scores ? this : new(other, change);
}
