namespace Microsoft.ML.Trainers.FastTree;

public abstract class RegressionTreeBase
{
    private readonly Tree _tree;

    internal RegressionTreeBase(Tree tree)
    {
        _tree = tree;
        LeftChild = Array.AsReadOnly(tree.Left);
        RightChild = Array.AsReadOnly(tree.Right);
        NumericalSplitFeatureIndexes = Array.AsReadOnly(tree.Features);
        NumericalSplitThresholds = Array.AsReadOnly(tree.Thresholds);
        CategoricalSplitFlags = Array.AsReadOnly(new bool[tree.Left.Length]);
        LeafValues = Array.AsReadOnly(tree.LeafValues);
        SplitGains = Array.AsReadOnly(tree.Gains);
    }

    public IReadOnlyList<int> LeftChild { get; }

    public IReadOnlyList<int> RightChild { get; }

    public IReadOnlyList<int> NumericalSplitFeatureIndexes { get; }

    public IReadOnlyList<float> NumericalSplitThresholds { get; }

    public IReadOnlyList<bool> CategoricalSplitFlags { get; }

    public IReadOnlyList<double> LeafValues { get; }

    public IReadOnlyList<double> SplitGains { get; }

    public int NumberOfLeaves => _tree.LeafValues.Length;

    public int NumberOfNodes => _tree.Left.Length;

    public IReadOnlyList<int> GetCategoricalSplitFeaturesAt(int nodeIndex) => None(nodeIndex);

    public IReadOnlyList<int> GetCategoricalCategoricalSplitFeatureRangeAt(int nodeIndex) => None(nodeIndex);

    private IReadOnlyList<int> None(int nodeIndex) => nodeIndex >= 0 && nodeIndex < NumberOfNodes
        ? []
        : throw new InvalidOperationException(
            $"The input index, {nodeIndex}, is invalid. Its valid range is from 0 (inclusive) to {NumberOfNodes} (exclusive).");
}

public sealed class RegressionTree : RegressionTreeBase
{
    internal RegressionTree(Tree tree)
        : base(tree)
    {
    }
}

public sealed class QuantileRegressionTree : RegressionTreeBase
{
    internal QuantileRegressionTree(Tree tree)
        : base(tree)
    {
    }
}

public abstract class TreeEnsemble<T>
    where T : RegressionTreeBase
{
    private protected TreeEnsemble(IEnumerable<T> trees)
    {
        Trees = Array.AsReadOnly(trees.ToArray());
        TreeWeights = Array.AsReadOnly(Trees.Select(_ => 1.0).ToArray());
    }

    public double Bias => 0;

    public IReadOnlyList<double> TreeWeights { get; }

    public IReadOnlyList<T> Trees { get; }
}

public sealed class RegressionTreeEnsemble : TreeEnsemble<RegressionTree>
{
    internal RegressionTreeEnsemble(Tree[] trees)
        : base(trees.Select(tree => new RegressionTree(tree)))
    {
    }
}

public sealed class QuantileRegressionTreeEnsemble : TreeEnsemble<QuantileRegressionTree>
{
    internal QuantileRegressionTreeEnsemble(Tree[] trees)
        : base(trees.Select(tree => new QuantileRegressionTree(tree)))
    {
    }
}
