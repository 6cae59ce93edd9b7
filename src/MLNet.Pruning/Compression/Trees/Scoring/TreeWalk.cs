using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>
/// Scores one row by going down eight trees at a time without branches, so that their loads overlap. The two children of a node lie side by side, and a leaf
/// leads to itself, so that all trees of eight take as many steps as the deepest. Immutable.
/// </summary>
internal sealed unsafe class TreeWalk
{
    private const int Lanes = 8;

    private readonly Node[] _nodes;
    private readonly double[] _values;
    private readonly int[] _roots;
    private readonly int[] _depths;

    public TreeWalk(DecisionTree[] trees, FeatureRanks ranks)
    {
        var nodes = new List<Node>();
        var values = new List<double>();
        (int Root, int Depth)[] places = [.. trees.Select(tree => Flatten(tree, ranks, nodes, values))];
        // Nothing added: the sum stays as it is, to the sign of a zero.
        while (places.Length % Lanes != 0)
        {
            places = [.. places, (nodes.Count, 0)];
            nodes.Add(Node.Leaf(nodes.Count));
            values.Add(-0.0);
        }

        (_nodes, _values) = ([.. nodes], [.. values]);
        _roots = [.. places.Select(place => place.Root)];
        _depths = [.. places.Chunk(Lanes).Select(eight => eight.Max(place => place.Depth))];
    }

    public bool IsEmpty => _roots.Length == 0;

    /// <summary>Adds the trees, one after another, to a sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public double Add(double sum, sbyte* ranks)
    {
        fixed (Node* nodes = _nodes)
        fixed (double* values = _values)
        fixed (int* roots = _roots)
        {
            var root = roots;
            foreach (var depth in _depths)
            {
                nint at0 = root[0], at1 = root[1], at2 = root[2], at3 = root[3], at4 = root[4], at5 = root[5], at6 = root[6], at7 = root[7];
                for (var step = 0; step < depth; step++)
                {
                    at0 = nodes[at0].Next(ranks);
                    at1 = nodes[at1].Next(ranks);
                    at2 = nodes[at2].Next(ranks);
                    at3 = nodes[at3].Next(ranks);
                    at4 = nodes[at4].Next(ranks);
                    at5 = nodes[at5].Next(ranks);
                    at6 = nodes[at6].Next(ranks);
                    at7 = nodes[at7].Next(ranks);
                }

                sum = sum + values[at0] + values[at1] + values[at2] + values[at3] + values[at4] + values[at5] + values[at6] + values[at7];
                root += Lanes;
            }
        }

        return sum;
    }

    private static (int Root, int Depth) Flatten(DecisionTree tree, FeatureRanks ranks, List<Node> nodes, List<double> values)
    {
        var root = nodes.Count;
        var level = new List<(int Child, int Place)> { (tree.Root, Reserve(tree.Root)) };
        var depth = 0;
        for (; level.Any(entry => entry.Child >= 0); depth++)
        {
            var next = new List<(int, int)>();
            foreach (var (child, place) in level.Where(entry => entry.Child >= 0))
            {
                var left = Reserve(tree.Left[child], tree.Right[child]);
                var (part, cut) = ranks.Find(tree.Features[child], tree.Thresholds[child]);
                nodes[place] = new(left, part, cut);
                next.Add((tree.Left[child], left));
                next.Add((tree.Right[child], left + 1));
            }

            level = next;
        }

        return (root, depth);

        // A place is a leaf until a split takes it.
        int Reserve(params ReadOnlySpan<int> children)
        {
            foreach (var child in children)
            {
                nodes.Add(Node.Leaf(nodes.Count));
                values.Add(child < 0 ? tree.LeafValues[~child] : 0);
            }

            return nodes.Count - children.Length;
        }
    }

    /// <param name="Left">The left child; the right one is next to it.</param>
    /// <param name="Part">Part whose rank is looked at.</param>
    /// <param name="Cut">Rank from which on a row goes right.</param>
    private readonly record struct Node(int Left, int Part, sbyte Cut)
    {
        public static Node Leaf(int place) => new(place, 0, FeatureRanks.Never);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public nint Next(sbyte* ranks)
        {
            var goesRight = ranks[Part] >= Cut;
            return Left + Unsafe.BitCast<bool, byte>(goesRight);
        }
    }
}
