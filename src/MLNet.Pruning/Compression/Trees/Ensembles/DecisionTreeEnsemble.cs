namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>A sum of trees, and what their sum means. Immutable.</summary>
internal sealed record DecisionTreeEnsemble
{
    public required ImmutableArray<DecisionTree> Trees { get; init; }

    /// <summary>Nodes before the first pruning; null of an ensemble that was not pruned.</summary>
    public int? DenseNodes { get; init; }

    /// <summary>Added to the sum.</summary>
    public double Offset { get; init; }

    /// <summary>Numbers in a row of the feature column.</summary>
    public required int FeatureCount { get; init; }

    /// <summary>
    /// Sets of features of categorical splits, which go right where any of them is above 0. A row is the features, then for each set 1 or 0,
    /// then the lows, then a 0, so that every split compares one number with a threshold.
    /// </summary>
    public ImmutableArray<ImmutableArray<int>> Sets { get; init; } = [];

    /// <summary>Features that some splits send left where they are missing: a row holds them once more, below every threshold where they are missing.</summary>
    public ImmutableArray<int> Lows { get; init; } = [];

    /// <summary>Whether the trees each predict the whole, so that fewer of them are scaled up.</summary>
    public required bool IsMean { get; init; }

    public required LearningTask Task { get; init; }

    /// <summary>P(positive) = 1 / (1 + exp(Slope * score + Offset)); null where there is no Probability.</summary>
    public PlattScaling? Calibration { get; init; }

    /// <summary>What the positive class's score aims at where there is no calibration: as many as the forest had trees, each of them 1.</summary>
    public double PositiveScore { get; init; } = 1;

    /// <summary>Numbers in a row as the trees read it.</summary>
    public int Width => FeatureCount + Sets.Length + Lows.Length + 1;

    /// <summary>Columns of a row beyond the features that splits read.</summary>
    public IEnumerable<int> ColumnsRead => Trees.SelectMany(tree => tree.Features).Where(feature => feature >= FeatureCount);

    /// <summary>The feature that a column of a row holds as a low; null for other columns.</summary>
    public int? LowOf(int column) => column >= FeatureCount + Sets.Length ? Lows[column - FeatureCount - Sets.Length] : null;

    public TreeCost Cost
    {
        get
        {
            var trees = Trees.Where(tree => tree.Nodes > 0).ToArray();
            var (nodes, leaves) = (trees.Sum(tree => tree.Nodes), trees.Sum(tree => tree.LeafValues.Length));
            return new(trees.Length, nodes, leaves, trees.Length == 0 ? 0
                : trees.Max(tree => tree.Fold(_ => 0, (_, left, right) => 1 + Math.Max(left, right))[0]), 16L * nodes + 8L * leaves);
        }
    }

    /// <summary>Thresholds and leaf values that are not zero.</summary>
    public long NonZeros => Trees.Sum(tree => tree.Thresholds.LongCount(value => value != 0) + tree.LeafValues.LongCount(value => value != 0));

    /// <summary>What a split reads that no row has; null for nothing. Scoring counts on it, and looks no further.</summary>
    public string? Problem()
    {
        var features = Trees.SelectMany(tree => tree.Features).Where(feature => feature < 0 || feature >= Width - 1)
            .Concat(Sets.SelectMany(set => set).Concat(Lows).Where(feature => feature < 0 || feature >= FeatureCount)).Take(1).ToArray();
        return FeatureCount < 1 ? $"it reads {FeatureCount} features" : features is [var feature] ? $"a tree splits on feature {feature} of {FeatureCount}"
            : null;
    }

    /// <summary>Completes a row whose features are filled in.</summary>
    public void CompleteRow(Span<float> row)
    {
        for (var i = 0; i < Sets.Length; i++)
        {
            row[FeatureCount + i] = 0;
            foreach (var feature in Sets[i])
            {
                if (row[feature] > 0)
                {
                    row[FeatureCount + i] = 1;
                    break;
                }
            }
        }

        for (var i = 0; i < Lows.Length; i++)
        {
            var value = row[Lows[i]];
            row[FeatureCount + Sets.Length + i] = float.IsNaN(value) ? float.NegativeInfinity : value;
        }

        row[^1] = 0;
    }

    /// <summary>The score of a complete row.</summary>
    public double Score(ReadOnlySpan<float> row)
    {
        var sum = Offset;
        foreach (var tree in Trees)
        {
            sum += tree.LeafValues[tree.LeafOf(row)];
        }

        return sum;
    }

    /// <summary>The ensemble with other trees; those of one leaf only become part of the offset.</summary>
    public DecisionTreeEnsemble WithTrees(IEnumerable<DecisionTree> trees)
    {
        var all = trees.ToArray();
        return this with { Trees = [.. all.Where(tree => tree.Nodes > 0)],
            Offset = Offset + all.Where(tree => tree.Nodes == 0).Sum(tree => tree.LeafValues[0]) };
    }

    /// <summary>The ensemble over rows that hold, beyond the features, only some columns, which are all that its splits read.</summary>
    public DecisionTreeEnsemble WithColumns(int[] kept) => kept.Length == Sets.Length + Lows.Length ? this : this with
    {
        Sets = [.. Sets.Where((_, i) => kept.Contains(FeatureCount + i))],
        Lows = [.. Lows.Where((_, i) => kept.Contains(FeatureCount + Sets.Length + i))],
        Trees = [.. Trees.Select(tree => tree.WithFeatures(feature => feature < FeatureCount ? feature : FeatureCount + Array.IndexOf(kept, feature)))],
    };

    /// <summary>The ensemble with some of its trees, in their order.</summary>
    public DecisionTreeEnsemble Keep(IReadOnlyCollection<int> trees)
    {
        var scale = IsMean && trees.Count > 0 ? (double)Trees.Length / trees.Count : 1;
        return this with { Trees = [.. trees.Order().Select(i => scale == 1 ? Trees[i] : Trees[i].Scaled(scale))] };
    }
}

/// <summary>P(positive) = 1 / (1 + exp(Slope * score + Offset)) (Platt, 1999).</summary>
internal sealed record PlattScaling(double Slope, double Offset)
{
    public float Probability(float score) => (float)(1 / (1 + Math.Exp(Slope * score + Offset)));
}
