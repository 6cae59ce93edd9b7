using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Scores of the units that weights make: for the slices of a weight along its dimension of outputs, and for groups.</summary>
/// <param name="criterion">Name of the criterion that measured them.</param>
/// <param name="units">By weight: the dimension of its outputs, and one score an output.</param>
internal sealed class UnitScores(string criterion, IReadOnlyDictionary<string, (int Dimension, double[] Scores)> units) : ImportanceScores
{
    private protected override void Weights(Parameter parameter, int start, Span<float> scores) => throw new InvalidOperationException(
        $"{criterion} says what whole units are worth, not what single weights of {parameter} are: use it with Granularity.Row, Slice, Neuron, Filter or "
            + "Unit.");

    private protected override void Slices(Parameter parameter, int dimension, Span<double> scores)
    {
        var found = units.TryGetValue(parameter.Name, out var unit) && unit.Dimension == dimension && unit.Scores.Length == scores.Length ? unit.Scores
            : throw new InvalidOperationException($"{criterion} does not say what slices of {parameter} along dimension {dimension} are worth; it scores "
                + $"{(units.Count == 0 ? "none" : string.Join(", ", units.Select(pair => $"{pair.Key} along {pair.Value.Dimension}")))}.");
        found.CopyTo(scores);
    }

    public override string ToString() => criterion;

    internal override bool Counts(ParameterAxis axis) => axis.Role == AxisRole.Output && units.TryGetValue(axis.Parameter, out var unit) && unit.Dimension
        == axis.Dimension;
}
