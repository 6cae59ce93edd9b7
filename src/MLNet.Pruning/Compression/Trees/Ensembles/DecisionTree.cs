namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>
/// A binary tree over rows of numbers: a value of at most the threshold goes left, anything else, a missing one too, goes right. Children
/// count nodes from 0; a negative one is the complement of a leaf's number. Immutable.
/// </summary>
internal sealed class DecisionTree
{
    /// <exception cref="ArgumentException">The arrays do not make up one tree.</exception>
    public DecisionTree(int[] left, int[] right, int[] features, float[] thresholds, double[] leafValues)
    {
        (Left, Right, Features, Thresholds, LeafValues) = (left, right, features, thresholds, leafValues);
        if (right.Length != left.Length || features.Length != left.Length || thresholds.Length != left.Length || leafValues.Length != left.Length + 1)
        {
            throw new ArgumentException($"A tree of {left.Length} nodes has {right.Length} right children, {features.Length} features, {thresholds.Length} "
                + $"thresholds and {leafValues.Length} leaves.");
        }

        var reached = new bool[2 * left.Length + 1];
        var open = new Stack<int>([Nodes > 0 ? 0 : ~0]);
        while (open.TryPop(out var child))
        {
            var slot = child >= 0 ? child : left.Length + ~child;
            if (slot >= reached.Length || (child >= 0 && child >= left.Length) || reached[slot])
            {
                throw new ArgumentException($"A tree of {left.Length} nodes has {(child >= 0 ? $"node {child}" : $"leaf {~child}")} as a child "
                    + $"{(slot < reached.Length && reached[slot] ? "twice" : "that it does not have")}.");
            }

            reached[slot] = true;
            if (child >= 0)
            {
                open.Push(left[child]);
                open.Push(right[child]);
            }
        }

        if (reached.Contains(false))
        {
            throw new ArgumentException($"A tree of {left.Length} nodes has nodes or leaves that no path leads to.");
        }
    }

    public int[] Left { get; }

    public int[] Right { get; }

    public int[] Features { get; }

    public float[] Thresholds { get; }

    public double[] LeafValues { get; }

    /// <summary>Splits; leaves are one more.</summary>
    public int Nodes => Left.Length;

    /// <summary>The root as a child: a node, or the only leaf.</summary>
    public int Root => Nodes > 0 ? 0 : ~0;

    /// <summary>The leaf a row ends in.</summary>
    public int LeafOf(ReadOnlySpan<float> row)
    {
        var child = Root;
        while (child >= 0)
        {
            child = row[Features[child]] <= Thresholds[child] ? Left[child] : Right[child];
        }

        return ~child;
    }

    public DecisionTree WithLeafValues(double[] values) => new(Left, Right, Features, Thresholds, values);

    public DecisionTree WithFeatures(Converter<int, int> map) => new(Left, Right, Array.ConvertAll(Features, map), Thresholds, LeafValues);

    public DecisionTree Scaled(double factor) => WithLeafValues(Array.ConvertAll(LeafValues, value => value * factor));

    /// <summary>A number for every node from those of its two children, bottom-up; a leaf's come from <paramref name="leaf"/>.</summary>
    public T[] Fold<T>(Func<int, T> leaf, Func<int, T, T, T> node)
    {
        var folded = new T[Nodes];
        foreach (var i in BottomUp())
        {
            folded[i] = node(i, Of(Left[i]), Of(Right[i]));
        }

        return folded;

        T Of(int child) => child >= 0 ? folded[child] : leaf(~child);
    }

    /// <summary>The nodes, each after its children.</summary>
    public IEnumerable<int> BottomUp()
    {
        var order = new List<int>(Nodes);
        var open = new Stack<int>(Nodes > 0 ? [0] : []);
        while (open.TryPop(out var node))
        {
            order.Add(node);
            foreach (var child in (int[])[Left[node], Right[node]])
            {
                if (child >= 0)
                {
                    open.Push(child);
                }
            }
        }

        order.Reverse();
        return order;
    }

    /// <summary>The tree with other nodes in the place of some.</summary>
    /// <param name="replace">For a child, the number that a new leaf in its place holds, or the child that takes its place; null for itself.</param>
    public DecisionTree Rebuild(Func<int, Replacement?> replace)
    {
        List<int> left = [], right = [], features = [];
        List<float> thresholds = [];
        List<double> leaves = [];
        // A stack of its own: a tree may be as deep as it has nodes.
        var open = new Stack<(int Child, List<int>? Side, int Parent)>([(Root, null, 0)]);
        while (open.TryPop(out var next))
        {
            var (child, value) = (next.Child, (double?)null);
            while (value is null && replace(child) is { } replacement)
            {
                (child, value) = (replacement.Child, replacement.Value);
            }

            int copy;
            if (value is not null || child < 0)
            {
                copy = ~leaves.Count;
                leaves.Add(value ?? LeafValues[~child]);
            }
            else
            {
                copy = left.Count;
                left.Add(0);
                right.Add(0);
                features.Add(Features[child]);
                thresholds.Add(Thresholds[child]);
                open.Push((Right[child], right, copy));
                open.Push((Left[child], left, copy));
            }

            if (next.Side is { } side)
            {
                side[next.Parent] = copy;
            }
        }

        return new([.. left], [.. right], [.. features], [.. thresholds], [.. leaves]);
    }

    /// <summary>What takes the place of a child: a leaf with a value, or another child of the tree.</summary>
    internal readonly record struct Replacement(double? Value, int Child = 0);
}
