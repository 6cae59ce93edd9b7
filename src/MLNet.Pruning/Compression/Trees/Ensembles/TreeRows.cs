namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>Rows as trees read them, with their labels.</summary>
internal sealed class TreeRows
{
    private readonly float[] _values;
    private readonly int _width;
    private readonly float[]? _weights;

    public TreeRows(float[] values, int width, float[] labels, float[]? weights = null)
        => (_values, _width, Labels, _weights) = (values, width, labels, weights);

    /// <summary>1 or 0 for the positive and the negative class, or the value to predict.</summary>
    public float[] Labels { get; }

    public int Count => Labels.Length;

    /// <summary>Ends what goes through the rows.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>How often the row counts.</summary>
    public double WeightOf(int row) => _weights is null ? 1 : _weights[row];

    public ReadOnlySpan<float> this[int row] => _values.AsSpan(row * _width, _width);

    /// <summary>The scores of all rows.</summary>
    public double[] Score(DecisionTreeEnsemble ensemble)
    {
        var scores = new double[Count];
        for (var row = 0; row < scores.Length; row++)
        {
            CancellationToken.ThrowIfCancellationRequested();
            scores[row] = ensemble.Score(this[row]);
        }

        return scores;
    }

    /// <summary>What an ensemble says of the rows.</summary>
    /// <param name="ensemble">The trees.</param>
    /// <param name="areWeighted">Whether rows count as often as they weigh; else each counts once.</param>
    public Predictions Predict(DecisionTreeEnsemble ensemble, bool areWeighted)
        => new(ensemble.Task, Array.ConvertAll(Score(ensemble), score => (float)score), Labels, areWeighted ? _weights : null)
        {
            Logit = ensemble.Calibration is { } platt ? score => -(platt.Slope * score + platt.Offset) : null,
        };

    /// <summary>The leaf that each row ends in, tree by tree.</summary>
    public int[][] Leaves(IReadOnlyList<DecisionTree> trees)
    {
        var leaves = new int[trees.Count][];
        for (var tree = 0; tree < leaves.Length; tree++)
        {
            leaves[tree] = LeavesOf(trees[tree]);
        }

        return leaves;
    }

    public int[] LeavesOf(DecisionTree tree)
    {
        CancellationToken.ThrowIfCancellationRequested();
        var leaves = new int[Count];
        for (var row = 0; row < leaves.Length; row++)
        {
            leaves[row] = tree.LeafOf(this[row]);
        }

        return leaves;
    }

    /// <summary>What each tree adds to the score of each row, tree by tree.</summary>
    public double[][] Outputs(IReadOnlyList<DecisionTree> trees)
        => [.. trees.Select(tree => Array.ConvertAll(LeavesOf(tree), leaf => tree.LeafValues[leaf]))];
}
