using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Trees.Ensembles;

/// <summary>
/// Scores rows in batches over flat arrays: tree by tree, eight rows at a time without branches, so that their loads overlap. The two
/// children of a node lie side by side, and a leaf leads to itself, so that all rows take as many steps as the tree is deep.
/// </summary>
internal sealed class TreeScorer : IBatchScorer
{
    private const int Lanes = 8;

    private readonly Node[] _nodes;
    private readonly double[] _values;
    private readonly (int Root, int Depth)[][] _trees;
    private readonly TreeModel _model;
    private readonly double[] _sums;
    private readonly float[] _scores;

    public TreeScorer(TreeModel model, int batch)
    {
        (_model, Width) = (model, model.Width);
        // Rows beyond the batch fill up its last eight.
        var rows = (batch + Lanes - 1) / Lanes * Lanes;
        Rows = new float[rows * Width];
        (_sums, _scores) = (new double[rows], new float[batch * model.Outputs]);
        var nodes = new List<Node>();
        var values = new List<double>();
        _trees = [.. model.Ensembles.Select(ensemble => ensemble.Trees.Select(tree => Flatten(tree, Width - 1, nodes, values)).ToArray())];
        (_nodes, _values) = ([.. nodes], [.. values]);
    }

    public int Width { get; }

    public float[] Rows { get; }

    public ReadOnlySpan<float> Scores(int row) => Own(row);

    public void Run(int count)
    {
        var sums = _sums.AsSpan(0, (count + Lanes - 1) / Lanes * Lanes);
        ref var nodes = ref MemoryMarshal.GetArrayDataReference(_nodes);
        for (var output = 0; output < _trees.Length; output++)
        {
            sums.Fill(_model.Ensembles[output].Offset);
            foreach (var (root, depth) in _trees[output])
            {
                for (var row = 0; row < sums.Length; row += Lanes)
                {
                    AddTree(ref nodes, root, depth, Rows.AsSpan(row * Width, Lanes * Width), sums.Slice(row, Lanes));
                }
            }

            for (var row = 0; row < count; row++)
            {
                Own(row)[output] = (float)sums[row];
            }
        }

        for (var row = 0; row < count; row++)
        {
            _model.Finish(Own(row));
        }
    }

    public void Dispose()
    {
    }

    private Span<float> Own(int row) => _scores.AsSpan(row * _trees.Length, _trees.Length);

    private void AddTree(ref Node nodes, int root, int depth, ReadOnlySpan<float> rows, Span<double> sums)
    {
        ref var row0 = ref MemoryMarshal.GetReference(rows);
        ref var row1 = ref Unsafe.Add(ref row0, Width);
        ref var row2 = ref Unsafe.Add(ref row1, Width);
        ref var row3 = ref Unsafe.Add(ref row2, Width);
        ref var row4 = ref Unsafe.Add(ref row3, Width);
        ref var row5 = ref Unsafe.Add(ref row4, Width);
        ref var row6 = ref Unsafe.Add(ref row5, Width);
        ref var row7 = ref Unsafe.Add(ref row6, Width);
        int at0 = root, at1 = root, at2 = root, at3 = root, at4 = root, at5 = root, at6 = root, at7 = root;
        for (var step = 0; step < depth; step++)
        {
            at0 = Next(ref Unsafe.Add(ref nodes, at0), ref row0);
            at1 = Next(ref Unsafe.Add(ref nodes, at1), ref row1);
            at2 = Next(ref Unsafe.Add(ref nodes, at2), ref row2);
            at3 = Next(ref Unsafe.Add(ref nodes, at3), ref row3);
            at4 = Next(ref Unsafe.Add(ref nodes, at4), ref row4);
            at5 = Next(ref Unsafe.Add(ref nodes, at5), ref row5);
            at6 = Next(ref Unsafe.Add(ref nodes, at6), ref row6);
            at7 = Next(ref Unsafe.Add(ref nodes, at7), ref row7);
        }

        sums[7] += _values[at7];
        sums[6] += _values[at6];
        sums[5] += _values[at5];
        sums[4] += _values[at4];
        sums[3] += _values[at3];
        sums[2] += _values[at2];
        sums[1] += _values[at1];
        sums[0] += _values[at0];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Next(ref Node node, ref float row)
    {
        var right = !(Unsafe.Add(ref row, node.Feature) <= node.Threshold);
        return node.Left + Unsafe.BitCast<bool, byte>(right);
    }

    private static (int Root, int Depth) Flatten(DecisionTree tree, int zero, List<Node> nodes, List<double> values)
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
                nodes[place] = new(tree.Thresholds[child], tree.Features[child], left);
                next.Add((tree.Left[child], left));
                next.Add((tree.Right[child], left + 1));
            }

            level = next;
        }

        return (root, depth);

        // A place is a leaf until a split takes it; the last number of a row is 0, and so never above the threshold.
        int Reserve(params ReadOnlySpan<int> children)
        {
            foreach (var child in children)
            {
                nodes.Add(new(float.PositiveInfinity, zero, nodes.Count));
                values.Add(child < 0 ? tree.LeafValues[~child] : 0);
            }

            return nodes.Count - children.Length;
        }
    }

    private readonly record struct Node(float Threshold, int Feature, int Left);
}
