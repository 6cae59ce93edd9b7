using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// The sum of a slice's Euclidean distances to all others of the same parameter: the slice nearest to the geometric median is the one that the others can best
/// stand in for (He et al. 2019, "Filter Pruning via Geometric Median", equation 9). The score of a group is that of the slices that make it. Cost: the
/// number of slices times the number of weights.
/// </summary>
internal sealed class GeometricMedianImportance : Importance
{
    protected override ImportanceScores MeasureCore(ImportanceContext context) => new GeometricMedianScores(context.CancellationToken);

    public override string ToString() => nameof(GeometricMedian);
}

/// <summary>What <see cref="GeometricMedianImportance"/> measures: the values as they are.</summary>
/// <param name="cancellation">Ends it.</param>
internal sealed class GeometricMedianScores(CancellationToken cancellation) : ImportanceScores
{
    public const string Name = $"{nameof(Importance)}.{nameof(Importance.GeometricMedian)}";

    private protected override void Weights(Parameter parameter, int start, Span<float> scores) => throw new InvalidOperationException(
        $"{Name} says what whole slices are worth, not what single weights of {parameter} are: use it with rows, columns, slices, kernels, blocks or groups.");

    private protected override void Slices(Parameter parameter, int dimension, Span<double> scores)
        => ScoreStructures(parameter, StructureLayout.Slices(parameter, dimension), scores);

    public override string ToString() => Name;

    internal override void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> scores)
    {
        var values = structures.Gather(parameter.Values);
        var size = values.Length / structures.Count;
        scores.Clear();
        for (var i = 0; i < structures.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var j = 0; j < i; j++)
            {
                var distance = Distance(values.AsSpan(i * size, size), values.AsSpan(j * size, size));
                scores[i] += distance;
                scores[j] += distance;
            }
        }
    }

    internal override bool Counts(ParameterAxis axis) => axis.Role == AxisRole.Output;

    private static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            var difference = (double)a[i] - b[i];
            sum += difference * difference;
        }

        return Math.Sqrt(sum);
    }
}
