using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>The mean importance over several networks of the same structure, each by its own weights.</summary>
/// <param name="criterion">What measures each.</param>
internal sealed class SharedImportance(Importance criterion) : Importance
{
    protected override ImportanceScores MeasureCore(ImportanceContext context)
        => new SharedScores(criterion, [.. SharedPruning.Members(context.Pruned).Select(network => (criterion.Measure(new(network)), network.Network))]);
}

/// <summary>The mean of what each of the networks measures.</summary>
/// <param name="criterion">The criterion.</param>
/// <param name="measured">Of each network.</param>
internal sealed class SharedScores(Importance criterion, ImmutableArray<(ImportanceScores Scores, Network Network)> measured) : ImportanceScores
{
    private protected override void Weights(Parameter parameter, int start, Span<float> scores)
    {
        var own = new float[scores.Length];
        scores.Clear();
        foreach (var (importance, network) in measured)
        {
            importance.ScoreWeights(network[parameter.Name], start, own);
            for (var i = 0; i < own.Length; i++)
            {
                scores[i] += own[i] / measured.Length;
            }
        }
    }

    private protected override void Slices(Parameter parameter, int dimension, Span<double> scores)
        => Mean(scores, (importance, network, own) => importance.ScoreSlices(network[parameter.Name], dimension, own));

    public override string ToString() => $"{criterion} over {measured.Length} networks";

    internal override void ScoreStructures(Parameter parameter, StructureLayout candidates, Span<double> scores)
        => Mean(scores, (importance, network, own) => importance.ScoreStructures(network[parameter.Name], candidates, own));

    internal override bool Counts(ParameterAxis axis) => measured[0].Scores.Counts(axis);

    private void Mean(Span<double> scores, Action<ImportanceScores, Network, double[]> score)
    {
        scores.Clear();
        foreach (var (importance, network) in measured)
        {
            var own = new double[scores.Length];
            score(importance, network, own);
            for (var i = 0; i < own.Length; i++)
            {
                scores[i] += own[i] / measured.Length;
            }
        }
    }
}
