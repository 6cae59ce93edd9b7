using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>
/// A tree as the set of the leaves that a row may still end in, a bit each, from left to right: a split that sends the row right takes the leaves of its left
/// side out, in whichever order splits are looked at, and the lowest bit left is where the row ends (QuickScorer, Lucchese et al., SIGIR 2015). The
/// rightmost leaf is never taken out.
/// </summary>
/// <param name="Leaves">The values of the leaves, from left to right.</param>
/// <param name="Bytes">For each eight leaves the splits that take some of them out (RapidScorer, Ye et al., KDD 2018).</param>
internal sealed record LeafSet(double[] Leaves, SplitByte[][] Bytes)
{
    /// <summary>Leaves of a larger tree are more than an index of a byte tells apart; going down it is faster from about that size on too.</summary>
    public const int MostLeaves = 256;

    public static LeafSet Of(DecisionTree tree, FeatureRanks ranks)
    {
        var leaves = new List<double>();
        var splits = new List<(int Node, int First, int End)>();
        Visit(tree.Root);
        // Splits of the same feature side by side: their ranks are read once more while they are near.
        return new([.. leaves], [.. Enumerable.Range(0, (leaves.Count + 7) / 8).Select(i => splits.OrderBy(split => tree.Features[split.Node])
            .Select(split => Byte(split.Node, split.First - 8 * i, split.End - 8 * i)).Where(split => split.Keep != -1).ToArray())]);

        // As deep as the tree, which has no more than MostLeaves.
        void Visit(int child)
        {
            if (child < 0)
            {
                leaves.Add(tree.LeafValues[~child]);
                return;
            }

            var first = leaves.Count;
            Visit(tree.Left[child]);
            splits.Add((child, first, leaves.Count));
            Visit(tree.Right[child]);
        }

        SplitByte Byte(int node, int first, int end)
        {
            var (part, cut) = ranks.Find(tree.Features[node], tree.Thresholds[node]);
            return new(part, cut, (sbyte)~(Below(end) & ~Below(first)));
        }

        static int Below(int bit) => (1 << Math.Clamp(bit, 0, 8)) - 1;
    }
}

/// <summary>A split, as far as it touches eight leaves.</summary>
/// <param name="Part">Part whose rank it looks at.</param>
/// <param name="Cut">Rank from which on a row goes right.</param>
/// <param name="Keep">The leaves that are then left, all but those of its left side.</param>
internal readonly record struct SplitByte(int Part, sbyte Cut, sbyte Keep);
