namespace Microsoft.ML.Trainers.FastTree;

/// <summary>A tree with the training rows in its leaves. A split leaf keeps its number on the left; the right one gets the next.</summary>
internal sealed class GrownTree(int maximumLeaves)
{
    private readonly List<int> _left = new(maximumLeaves - 1);
    private readonly List<int> _right = new(maximumLeaves - 1);
    private readonly List<int> _features = new(maximumLeaves - 1);
    private readonly List<float> _thresholds = new(maximumLeaves - 1);
    private readonly List<int> _bins = new(maximumLeaves - 1);
    private readonly List<double> _gains = new(maximumLeaves - 1);
    private readonly int[][] _rows = new int[maximumLeaves][];

    public int LeafCount => _left.Count + 1;

    public double[] LeafValues { get; } = new double[maximumLeaves];

    public int[] RowsOf(int leaf) => _rows[leaf];

    public void Split(int leaf, int feature, float threshold, int bin, double gain)
    {
        int node = _left.Count;
        Replace(_left, ~leaf, node);
        Replace(_right, ~leaf, node);
        _left.Add(~leaf);
        _right.Add(~(node + 1));
        _features.Add(feature);
        _thresholds.Add(threshold);
        _bins.Add(bin);
        _gains.Add(gain);
    }

    public void SetLeaf(int leaf, double value, int[] rows) => (LeafValues[leaf], _rows[leaf]) = (value, rows);

    /// <summary>Adds the tree's output of every row, in its bag or not.</summary>
    public void AddTo(double[] scores, BinnedRows binned)
    {
        for (int row = 0; row < scores.Length; row++)
        {
            int node = 0;
            while (node >= 0)
            {
                node = binned.Bins[_features[node]][row] <= _bins[node] ? _left[node] : _right[node];
            }

            scores[row] += LeafValues[~node];
        }
    }

    public Tree ToTree() => new([.. _left], [.. _right], [.. _features], [.. _thresholds], [.. _gains], LeafValues[..LeafCount]);

    private static void Replace(List<int> children, int from, int to)
    {
        int index = children.IndexOf(from);
        if (index >= 0)
        {
            children[index] = to;
        }
    }
}
