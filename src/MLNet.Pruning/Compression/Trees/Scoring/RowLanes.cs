using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>
/// Scores as many rows at once as a vector has bytes, tree by tree: eight leaves of a tree are a byte a row, which stays in a register while all splits that
/// touch them take leaves out. Nothing is read out of order, and nothing depends on where rows go. Immutable.
/// </summary>
internal sealed unsafe class RowLanes<TVector, TLanes> where TVector : unmanaged where TLanes : ILanes<TVector>
{
    private readonly (int Bytes, int FirstLeaf)[] _trees;

    // In the order in which they are used: of each tree the last byte first, so that the first one that is not empty comes to stand.
    private readonly int[] _counts;
    private readonly Aligned<SplitByte> _splits;
    private readonly double[] _leaves;

    public RowLanes(LeafSet[] trees)
    {
        _leaves = [.. trees.SelectMany(tree => tree.Leaves)];
        _trees = new (int, int)[trees.Length];
        for (var (i, first) = (0, 0); i < trees.Length; first += trees[i++].Leaves.Length)
        {
            _trees[i] = (trees[i].Bytes.Length, first);
        }

        SplitByte[][] bytes = [.. trees.SelectMany(tree => tree.Bytes.Reverse())];
        _counts = [.. bytes.Select(splits => splits.Length)];
        _splits = new([.. bytes.SelectMany(splits => splits)]);
    }

    /// <summary>What a block of rows costs, in comparisons of a vector.</summary>
    public int Steps => _splits.Length;

    /// <summary>Adds the trees, one after another, to the sums of a block of rows.</summary>
    /// <param name="ranks">The rows' ranks, part by part.</param>
    /// <param name="sums">A sum a row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(sbyte* ranks, double* sums)
    {
        var indices = stackalloc byte[TLanes.Count];
        var split = _splits.Pointer;
        fixed (int* counts = _counts)
        fixed (double* leaves = _leaves)
        {
            var count = counts;
            foreach (var (bytes, firstLeaf) in _trees)
            {
                TVector set = TLanes.Create(0), first = set;
                for (var i = bytes - 1; i >= 0; i--)
                {
                    var left = TLanes.Create(-1);
                    for (var end = split + *count++; split < end; split++)
                    {
                        var rank = ranks + (nuint)(uint)(split->Part * TLanes.Count);
                        left = TLanes.Keep(left, *(TVector*)rank, TLanes.Create(split->Cut), TLanes.Create(split->Keep));
                    }

                    first = TLanes.WhereEmpty(left, first, TLanes.Create((sbyte)(8 * i)));
                    set = TLanes.WhereEmpty(left, set, left);
                }

                *(TVector*)indices = TLanes.Lowest(set, first);
                TLanes.AddLeaves(sums, leaves + firstLeaf, indices);
            }
        }
    }

    /// <summary>
    /// The same for twice as many rows, whose splits are read once: two vectors a split, which takes little longer than one.
    /// </summary>
    /// <param name="ranks">The rows' ranks, two vectors a part.</param>
    /// <param name="sums">A sum a row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddTwo(sbyte* ranks, double* sums)
    {
        var indices = stackalloc byte[TLanes.Count];
        var split = _splits.Pointer;
        fixed (int* counts = _counts)
        fixed (double* leaves = _leaves)
        {
            var count = counts;
            foreach (var (bytes, firstLeaf) in _trees)
            {
                TVector set = TLanes.Create(0), first = set, otherSet = set, otherFirst = set;
                for (var i = bytes - 1; i >= 0; i--)
                {
                    TVector left = TLanes.Create(-1), other = left;
                    for (var end = split + *count++; split < end; split++)
                    {
                        var rank = ranks + (nuint)(uint)(split->Part * 2 * TLanes.Count);
                        var (cut, keep) = (TLanes.Create(split->Cut), TLanes.Create(split->Keep));
                        left = TLanes.Keep(left, *(TVector*)rank, cut, keep);
                        other = TLanes.Keep(other, *(TVector*)(rank + TLanes.Count), cut, keep);
                    }

                    var number = TLanes.Create((sbyte)(8 * i));
                    first = TLanes.WhereEmpty(left, first, number);
                    set = TLanes.WhereEmpty(left, set, left);
                    otherFirst = TLanes.WhereEmpty(other, otherFirst, number);
                    otherSet = TLanes.WhereEmpty(other, otherSet, other);
                }

                *(TVector*)indices = TLanes.Lowest(set, first);
                TLanes.AddLeaves(sums, leaves + firstLeaf, indices);
                *(TVector*)indices = TLanes.Lowest(otherSet, otherFirst);
                TLanes.AddLeaves(sums + TLanes.Count, leaves + firstLeaf, indices);
            }
        }
    }
}
