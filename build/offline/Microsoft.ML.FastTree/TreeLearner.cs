namespace Microsoft.ML.Trainers.FastTree;

/// <summary>
/// Grows a regression tree by least squares, the leaf with the largest gain first, over histograms of the bins: that of the larger
/// child is its parent's less its sibling's.
/// </summary>
internal sealed class TreeLearner(BinnedRows binned, TrainingSet rows, TreeOptions options, bool forest)
{
    private readonly Random _random = new(options.Seed);
    private readonly int[] _offsets = Offsets(binned);
    private double[] _targets = [];
    private bool[] _active = [];

    /// <summary>Null where the root cannot be split.</summary>
    public GrownTree? Grow(int[] bag, double[] targets, bool[] active)
    {
        (_targets, _active) = (targets, active);
        var root = new Leaf(bag, Sum(bag), FillHistogram(bag));
        FindSplit(root);
        if (double.IsNegativeInfinity(root.Gain))
        {
            return null;
        }

        var tree = new GrownTree(options.NumberOfLeaves);
        List<Leaf> leaves = [root];
        for (int best = 0; best >= 0; best = leaves.Count < options.NumberOfLeaves ? Best(leaves) : -1)
        {
            Leaf parent = leaves[best];
            (int[] low, int[] high) = Partition(parent);
            bool lowIsSmaller = low.Length < high.Length;
            Histogram smaller = FillHistogram(lowIsSmaller ? low : high);
            parent.Histogram.Subtract(smaller);
            var left = new Leaf(low, Sum(low), lowIsSmaller ? smaller : parent.Histogram);
            var right = new Leaf(high, Sum(high), lowIsSmaller ? parent.Histogram : smaller);
            tree.Split(best, parent.Feature, binned.Bounds[parent.Feature][parent.Bin], parent.Bin, parent.Gain);
            leaves[best] = left;
            leaves.Add(right);
            if (leaves.Count < options.NumberOfLeaves)
            {
                FindSplit(left);
                FindSplit(right);
            }
        }

        for (int leaf = 0; leaf < leaves.Count; leaf++)
        {
            tree.SetLeaf(leaf, leaves[leaf].Total.Targets / leaves[leaf].Total.Weight, leaves[leaf].Rows);
        }

        return tree;
    }

    private static int Best(List<Leaf> leaves)
    {
        int best = 0;
        for (int i = 1; i < leaves.Count; i++)
        {
            best = leaves[i].Gain > leaves[best].Gain ? i : best;
        }

        return leaves[best].Gain > 0 ? best : -1;
    }

    private static int[] Offsets(BinnedRows binned)
    {
        var offsets = new int[binned.Bounds.Length + 1];
        for (int feature = 0; feature < binned.Bounds.Length; feature++)
        {
            offsets[feature + 1] = offsets[feature] + binned.Bounds[feature].Length + 1;
        }

        return offsets;
    }

    private Total Sum(int[] members)
    {
        var total = default(Total);
        foreach (int row in members)
        {
            double weight = rows.WeightAt(row);
            total.Add(weight * _targets[row], weight, 1);
        }

        return total;
    }

    private Histogram FillHistogram(int[] members)
    {
        var histogram = new Histogram(_offsets[^1]);
        for (int feature = 0; feature < _active.Length; feature++)
        {
            if (!_active[feature] || _offsets[feature + 1] - _offsets[feature] < 2)
            {
                continue;
            }

            ushort[] bins = binned.Bins[feature];
            Span<Total> totals = histogram.Totals.AsSpan(_offsets[feature]);
            foreach (int row in members)
            {
                double weight = rows.WeightAt(row);
                totals[bins[row]].Add(weight * _targets[row], weight, 1);
            }
        }

        return histogram;
    }

    private (int[] Low, int[] High) Partition(Leaf leaf)
    {
        ushort[] bins = binned.Bins[leaf.Feature];
        return ([.. leaf.Rows.Where(row => bins[row] <= leaf.Bin)], [.. leaf.Rows.Where(row => bins[row] > leaf.Bin)]);
    }

    private void FindSplit(Leaf leaf)
    {
        if (leaf.Rows.Length < 2 * options.MinimumExampleCountPerLeaf)
        {
            return;
        }

        double fraction = options.FeatureFractionPerSplit;
        for (int feature = 0; feature < _active.Length; feature++)
        {
            (double gain, int bin) = _active[feature] ? FindSplit(leaf, feature) : (double.NegativeInfinity, -1);

            // A forest takes the first feature that can be split on whatever the draw.
            if (gain > leaf.Gain && (fraction >= 1 || _random.NextDouble() < fraction || (forest && double.IsNegativeInfinity(leaf.Gain))))
            {
                (leaf.Gain, leaf.Feature, leaf.Bin) = (gain, feature, bin);
            }
        }
    }

    private (double Gain, int Bin) FindSplit(Leaf leaf, int feature)
    {
        Total all = leaf.Total;
        ReadOnlySpan<Total> totals = leaf.Histogram.Totals.AsSpan(_offsets[feature]..(_offsets[feature + 1]));
        double unsplit = all.Targets * all.Targets / all.Weight, best = double.NegativeInfinity;
        int bestBin = -1;
        var high = default(Total);
        for (int bin = totals.Length - 2; bin >= 0; bin--)
        {
            high.Add(totals[bin + 1].Targets, totals[bin + 1].Weight, totals[bin + 1].Count);
            int low = all.Count - high.Count;
            if (high.Count < Math.Max(1, options.MinimumExampleCountPerLeaf))
            {
                continue;
            }

            if (low < Math.Max(1, options.MinimumExampleCountPerLeaf))
            {
                break;
            }

            double lowTargets = all.Targets - high.Targets;
            double gain = high.Targets * high.Targets / high.Weight + lowTargets * lowTargets / (all.Weight - high.Weight);
            if (gain > best)
            {
                (best, bestBin) = (gain, bin);
            }
        }

        return (best - unsplit, bestBin);
    }

    private struct Total
    {
        public double Targets;
        public double Weight;
        public int Count;

        public void Add(double targets, double weight, int count)
        {
            Targets += targets;
            Weight += weight;
            Count += count;
        }
    }

    private sealed class Histogram(int bins)
    {
        public Total[] Totals { get; } = new Total[bins];

        public void Subtract(Histogram child)
        {
            for (int i = 0; i < Totals.Length; i++)
            {
                Total total = child.Totals[i];
                Totals[i].Add(-total.Targets, -total.Weight, -total.Count);
            }
        }
    }

    private sealed class Leaf(int[] rows, Total total, Histogram histogram)
    {
        public int[] Rows => rows;

        public Total Total => total;

        public Histogram Histogram => histogram;

        public double Gain { get; set; } = double.NegativeInfinity;

        public int Feature { get; set; }

        public int Bin { get; set; }
    }
}
