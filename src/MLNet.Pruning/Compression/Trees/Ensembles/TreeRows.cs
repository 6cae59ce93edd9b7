namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>Rows as trees read them, with their labels.</summary>
internal sealed class TreeRows
{
    private readonly float[] _values;
    private readonly int _width;
    private readonly float[]? _weights;
    private readonly double[]? _rivals;

    public TreeRows(float[] values, int width, float[] labels, float[]? weights = null)
        => (_values, _width, Labels, _weights) = (values, width, labels, weights);

    private TreeRows(TreeRows rows, float[] labels, double[]? rivals) : this(rows._values, rows._width, labels, rows._weights)
        => (_rivals, CancellationToken) = (rivals, rows.CancellationToken);

    /// <summary>The index of the class, 1 or 0 for the positive and the negative class, or the value to predict.</summary>
    public float[] Labels { get; }

    public int Count => Labels.Length;

    /// <summary>Ends what goes through the rows.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>How often the row counts.</summary>
    public double WeightOf(int row) => _weights is null ? 1 : _weights[row];

    /// <summary>The logarithm of the sum of the other classes' exponentiated scores; 0 where a class is told apart by its own score alone.</summary>
    public double RivalOf(int row) => _rivals is null ? 0 : _rivals[row];

    /// <summary>The rows with one class as the positive one.</summary>
    /// <param name="index">The class.</param>
    /// <param name="scores">The scores of all classes where they compete in a softmax, class by class; null for none.</param>
    public TreeRows OfClass(int index, double[][]? scores)
    {
        double Rival(int row)
        {
            var others = scores.Where((_, other) => other != index).Select(values => values[row]).ToArray();
            var largest = others.Max();
            return largest + Math.Log(others.Sum(score => Math.Exp(score - largest)));
        }

        return new(this, [.. Labels.Select(label => label == index ? 1f : 0)], scores is null ? null : [.. Enumerable.Range(0, Count).Select(Rival)]);
    }

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

    /// <summary>What a model says of the rows.</summary>
    /// <param name="model">The trees.</param>
    /// <param name="areWeighted">Whether rows count as often as they weigh; else each counts once.</param>
    public Predictions Predict(TreeModel model, bool areWeighted)
    {
        var weights = areWeighted ? _weights : null;
        double[][] sums = [.. model.Ensembles.Select(Score)];
        if (model.Classes is null)
        {
            return new(model.Task, Array.ConvertAll(sums[0], score => (float)score), Labels, weights)
            {
                Logit = model.Ensembles[0].Calibration is { } platt ? score => -(platt.Slope * score + platt.Offset) : null,
            };
        }

        var scores = new float[Count * sums.Length];
        for (var row = 0; row < Count; row++)
        {
            var own = scores.AsSpan(row * sums.Length, sums.Length);
            for (var i = 0; i < own.Length; i++)
            {
                own[i] = (float)sums[i][row];
            }

            // The softmax over logarithms of probabilities is the probabilities.
            if (model.Classes == ClassScores.Probabilities)
            {
                model.Finish(own);
                foreach (ref var score in own)
                {
                    score = MathF.Log(Math.Max(score, float.Epsilon));
                }
            }
        }

        return new(model.Task, scores, Labels, weights) { Logit = model.Classes == ClassScores.Raw ? null : score => score };
    }

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
