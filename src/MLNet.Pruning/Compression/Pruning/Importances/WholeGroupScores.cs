using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Scores of groups as wholes.</summary>
/// <param name="criterion">Name of the criterion.</param>
/// <param name="scorer">The score of a group.</param>
internal sealed class WholeGroupScores(string criterion, Func<PruningGroup, double> scorer) : ImportanceScores
{
    public override string ToString() => criterion;

    internal override double? ScoreGroup(PruningGroup group, Func<Network> without) => scorer(group);

    internal override void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> scores) => throw Unsaid(parameter);

    private protected override void Weights(Parameter parameter, int start, Span<float> scores) => throw Unsaid(parameter);

    private InvalidOperationException Unsaid(Parameter parameter) => new(
        $"{criterion} says what whole groups are worth, not what weights of {parameter} are: use it with Granularity.Neuron, Filter, Unit, or another that "
            + "removes groups.");
}
