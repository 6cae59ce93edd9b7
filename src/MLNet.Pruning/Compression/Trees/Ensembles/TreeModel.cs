namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>
/// An ensemble of trees, or one for each class, each of them against all others. The ensembles read the same rows: they share features, sets and lows.
/// Immutable.
/// </summary>
/// <param name="Ensembles">The ensembles; of several classes in the order of the label's keys.</param>
/// <param name="Classes">What becomes of the classes' scores; null of a single ensemble, whose score it is.</param>
internal sealed record TreeModel(ImmutableArray<DecisionTreeEnsemble> Ensembles, ClassScores? Classes = null)
{
    public LearningTask Task => Classes is null ? Ensembles[0].Task : LearningTask.Multiclass;

    public int FeatureCount => Ensembles[0].FeatureCount;

    /// <summary>Numbers in a row as the trees read it.</summary>
    public int Width => Ensembles[0].Width;

    /// <summary>Scores of a row.</summary>
    public int Outputs => Ensembles.Length;

    /// <summary>Whether a score has a probability beside it.</summary>
    public bool HasProbability => Classes is null && Ensembles[0].Calibration is not null;

    /// <summary>What all its ensembles hold together.</summary>
    public TreeCost Cost
    {
        get
        {
            TreeCost[] costs = [.. Ensembles.Select(ensemble => ensemble.Cost)];
            return new(costs.Sum(cost => cost.Trees), costs.Sum(cost => cost.Nodes), costs.Sum(cost => cost.Leaves), costs.Max(cost => cost.Depth),
                costs.Sum(cost => cost.Bytes));
        }
    }

    public long NonZeros => Ensembles.Sum(ensemble => ensemble.NonZeros);

    /// <summary>Nodes before the first pruning; null of a model that was not pruned.</summary>
    public int? DenseNodes => Ensembles.All(ensemble => ensemble.DenseNodes is not null) ? Ensembles.Sum(ensemble => ensemble.DenseNodes) : null;

    /// <summary>What a split reads that no row has; null for nothing.</summary>
    public string? Problem() => Ensembles.Select(ensemble => ensemble.Problem()).FirstOrDefault(problem => problem is not null);

    /// <summary>Completes a row whose features are filled in.</summary>
    public void CompleteRow(Span<float> row) => Ensembles[0].CompleteRow(row);

    /// <summary>Makes of the sums of the classes' trees what the model scores with, in ML.NET's own arithmetic.</summary>
    public void Finish(Span<float> scores)
    {
        if (Classes == ClassScores.Softmax)
        {
            float sum = 0;
            foreach (ref var score in scores)
            {
                score = (float)Math.Exp(score);
                sum += score;
            }

            foreach (ref var score in scores)
            {
                score /= sum;
            }
        }
        else if (Classes == ClassScores.Probabilities)
        {
            double sum = 0;
            for (var i = 0; i < scores.Length; i++)
            {
                scores[i] = Ensembles[i].Calibration!.Probability(scores[i]);
                sum += scores[i];
            }

            for (var i = 0; i < scores.Length && sum > 0; i++)
            {
                scores[i] = (float)(scores[i] / sum);
            }
        }
    }

    /// <summary>The model without columns beyond the features that no split reads: each costs a look at every row.</summary>
    public TreeModel WithUsedColumns()
    {
        int[] used = [.. Ensembles.SelectMany(ensemble => ensemble.ColumnsRead).Distinct().Order()];
        return this with { Ensembles = [.. Ensembles.Select(ensemble => ensemble.WithColumns(used))] };
    }
}

/// <summary>What becomes of the scores of classes that are told apart by an ensemble each.</summary>
internal enum ClassScores
{
    /// <summary>They stay as they are.</summary>
    Raw,

    /// <summary>Each class's own probability, which its calibration tells, divided by the sum of all of them.</summary>
    Probabilities,

    /// <summary>The softmax over them.</summary>
    Softmax,
}
