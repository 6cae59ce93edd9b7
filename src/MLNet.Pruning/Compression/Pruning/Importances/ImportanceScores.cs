using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning;

/// <summary>Scores consecutive single weights of a parameter; called from several threads, more than once for the same weights.</summary>
/// <param name="parameter">The parameter with its values.</param>
/// <param name="start">Row-major index of the first weight.</param>
/// <param name="scores">Receives one score a weight; any finite or infinite number, but not NaN.</param>
public delegate void WeightScorer(Parameter parameter, int start, Span<float> scores);

/// <summary>Importance scores of the weights, slices and groups of a network, as an <see cref="Importance"/> measured it.</summary>
public abstract class ImportanceScores
{
    private protected ImportanceScores()
    {
    }

    /// <summary>Scores of single weights; the scores of slices and groups are their sum.</summary>
    /// <param name="criterion">Name of the criterion, for messages and reports.</param>
    /// <param name="scores">By name of the parameter, one score a weight in row-major order.</param>
    /// <param name="masks">What is dropped already: its score is 0. By default nothing is.</param>
    /// <exception cref="ArgumentException">A parameter's scores or mask are null, or of different number.</exception>
    public static ImportanceScores OfWeights(string criterion, IReadOnlyDictionary<string, float[]> scores,
        IReadOnlyDictionary<string, WeightMask>? masks = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(criterion);
        ArgumentNullException.ThrowIfNull(scores);
        return new WeightScores(criterion, scores.ToDictionary(score => score.Key, score => Masked(score.Key, score.Value, masks)));
    }

    /// <summary>Scores of single weights that are computed as they are requested, without a copy: for what looks at values alone.</summary>
    /// <param name="criterion">Name of the criterion.</param>
    /// <param name="scorer">Computes them.</param>
    public static ImportanceScores OfWeights(string criterion, WeightScorer scorer)
    {
        ArgumentException.ThrowIfNullOrEmpty(criterion);
        ArgumentNullException.ThrowIfNull(scorer);
        return new StreamedScores(criterion, scorer);
    }

    /// <summary>Scores of what layers put out, such as neurons and filters; the score of a group is that of the slices that make it.</summary>
    /// <param name="criterion">Name of the criterion.</param>
    /// <param name="slices">By name of the weight: the dimension of its outputs, and one score for each index of it.</param>
    public static ImportanceScores OfUnits(string criterion, IReadOnlyDictionary<string, (int Dimension, double[] Scores)> slices)
    {
        ArgumentException.ThrowIfNullOrEmpty(criterion);
        ArgumentNullException.ThrowIfNull(slices);
        foreach (var (weight, (dimension, scores)) in slices)
        {
            if (dimension < 0 || scores is null)
            {
                throw new ArgumentException($"The units of weight '{weight}' are given by dimension {dimension} and "
                    + $"{scores?.Length.ToString(CultureInfo.InvariantCulture) ?? "null"} scores.", nameof(slices));
            }
        }

        return new UnitScores(criterion, slices.ToDictionary());
    }

    /// <summary>Scores of groups as wholes, for structures that are removed.</summary>
    /// <param name="criterion">Name of the criterion.</param>
    /// <param name="scorer">The score of a group; not NaN.</param>
    public static ImportanceScores OfGroups(string criterion, Func<PruningGroup, double> scorer)
    {
        ArgumentException.ThrowIfNullOrEmpty(criterion);
        ArgumentNullException.ThrowIfNull(scorer);
        return new WholeGroupScores(criterion, scorer);
    }

    /// <summary>The same, with a change of the weights that stay once others are dropped or removed, as optimal brain surgeon makes it.</summary>
    /// <param name="change">From what is left after a step to the same with other values.</param>
    public ImportanceScores WithChange(Func<PrunedNetwork, PrunedNetwork> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return new ChangingScores(this, change);
    }

    /// <summary>The scores of consecutive single weights.</summary>
    /// <param name="parameter">The parameter with its values.</param>
    /// <param name="start">Row-major index of the first weight.</param>
    /// <param name="scores">Receives one score a weight.</param>
    /// <exception cref="ArgumentOutOfRangeException">The weights are not all in the parameter.</exception>
    /// <exception cref="InvalidOperationException">The criterion does not score single weights of the parameter.</exception>
    public void ScoreWeights(Parameter parameter, int start, Span<float> scores)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        if (start < 0 || start > parameter.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(start), start, $"Parameter {parameter} has weights 0 to {parameter.Count - 1}.");
        }

        if (scores.Length > parameter.Count - start)
        {
            throw new ArgumentException($"There is room for {scores.Length} scores, but parameter {parameter} has {parameter.Count - start} weights from "
                + $"{start} on.", nameof(scores));
        }

        Weights(parameter, start, scores);
    }

    /// <summary>The scores of the slices of a parameter along a dimension.</summary>
    /// <param name="parameter">The parameter with its values, weights already dropped at zero.</param>
    /// <param name="dimension">From 0 to the number of dimensions - 1.</param>
    /// <param name="scores">Receives one score for each index of the dimension.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    /// <exception cref="ArgumentException">There is not room for just one score an index.</exception>
    /// <exception cref="InvalidOperationException">The criterion does not score slices along that dimension.</exception>
    public void ScoreSlices(Parameter parameter, int dimension, Span<double> scores)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        if (dimension < 0 || dimension >= parameter.Shape.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(dimension), dimension, $"Parameter {parameter} has dimensions 0 to {parameter.Shape.Length - 1}.");
        }

        if (scores.Length != parameter.Shape[dimension])
        {
            throw new ArgumentException($"There is room for {scores.Length} scores, but parameter {parameter} has {parameter.Shape[dimension]} slices along "
                + $"dimension {dimension}.", nameof(scores));
        }

        Slices(parameter, dimension, scores);
    }

    /// <summary>Scores consecutive single weights.</summary>
    private protected abstract void Weights(Parameter parameter, int start, Span<float> scores);

    /// <summary>Scores slices; by default the sum of their weights' scores.</summary>
    private protected virtual void Slices(Parameter parameter, int dimension, Span<double> scores)
    {
        scores.Clear();
        Sum(parameter, SliceRuns.Of(parameter.Shape, dimension), scores);
    }

    /// <summary>Scores weights or structures that are not slices, such as blocks; by default the sum of their weights' scores.</summary>
    internal virtual void ScoreStructures(Parameter parameter, StructureLayout structures, Span<double> scores) => Sum(parameter, structures.Runs, scores);

    /// <summary>Whether the slices of that dimension count for the score of a group.</summary>
    internal virtual bool Counts(ParameterAxis axis) => axis.Role is AxisRole.Output or AxisRole.Input;

    /// <summary>The score of a group as a whole; null where its members give it.</summary>
    /// <param name="group">The group.</param>
    /// <param name="without">The network without it.</param>
    internal virtual double? ScoreGroup(PruningGroup group, Func<Network> without) => ScoreRemoval(without);

    /// <summary>The score of a block as a whole, measured on the network without it; null where its members give it.</summary>
    internal virtual double? ScoreRemoval(Func<Network> without) => null;

    /// <summary>The scores of the groups of a family by a criterion that compares them with each other; null where each is scored by itself.</summary>
    internal virtual double[]? ScoreFamily(NetworkStructure structure, GroupFamily family) => null;

    /// <summary>The scores by a criterion that minds of how many consecutive inputs how many stay.</summary>
    internal virtual ImportanceScores InPattern((int Kept, int Size) pattern) => this;

    /// <summary>The scores of a criterion that chooses what goes together, which depends on how much that is.</summary>
    internal virtual ImportanceScores Toward(StepAmount amount) => this;

    /// <summary>Other values for the weights that stay, which make up for those dropped at this step.</summary>
    internal virtual PrunedNetwork Compensate(PrunedNetwork pruned) => pruned;

    /// <summary>The importance score of each weight or structure of a parameter.</summary>
    internal double[] Score(StructureLayout layout, Parameter parameter)
    {
        var scores = new double[layout.Count];
        if (layout.Dimension is { } dimension)
        {
            ScoreSlices(parameter, dimension, scores);
        }
        else
        {
            ScoreStructures(parameter, layout, scores);
        }

        return scores;
    }

    private static float[] Masked(string parameter, float[] scores, IReadOnlyDictionary<string, WeightMask>? masks)
    {
        if (scores is null)
        {
            throw new ArgumentNullException(nameof(scores), $"The scores of parameter '{parameter}' are null.");
        }

        if (masks is null || !masks.TryGetValue(parameter, out var mask))
        {
            return scores;
        }

        return mask is null ? throw new ArgumentNullException(nameof(masks), $"The mask of parameter '{parameter}' is null.")
            : mask.Count == scores.Length ? mask.Apply(scores)
            : throw new ArgumentException($"Parameter '{parameter}' has {scores.Length} scores, but its mask has {mask.Count} entries.", nameof(scores));
    }

    private void Sum(Parameter parameter, IEnumerable<(int Structure, int Start, int Length)> runs, Span<double> scores)
    {
        var weights = new float[parameter.Count];
        Weights(parameter, 0, weights);
        foreach (var (structure, start, length) in runs)
        {
            foreach (var score in weights.AsSpan(start, length))
            {
                scores[structure] += score;
            }
        }
    }
}
