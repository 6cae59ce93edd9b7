using System.Numerics;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>
/// Scores one row, with as many bytes of the trees' leaf sets side by side in a vector as it has. At each step every byte looks at one of the splits that
/// touch it; ranks come from a table in registers, 64 at a time. Immutable.
/// </summary>
internal sealed unsafe class TreeLanes<TVector, TLanes> where TVector : unmanaged where TLanes : ILanes<TVector>
{
    private const int TableSize = 64;

    // Where the set of each tree starts, and its leaves: the trees with most splits a byte are side by side, so that few lanes wait for others.
    private readonly (int Set, int FirstLeaf)[] _trees;
    private readonly double[] _leaves;
    private readonly int _vectors;

    // For each vector as many runs as its splits need tables; for each step of a run the places in the table, the cuts and what to keep.
    private readonly (int Table, int Steps, bool IsLast)[] _runs;
    private readonly Aligned<sbyte> _steps;

    public TreeLanes(LeafSet[] trees)
    {
        _leaves = [.. trees.SelectMany(tree => tree.Leaves)];
        _trees = new (int, int)[trees.Length];
        for (var (i, first) = (0, 0); i < trees.Length; first += trees[i++].Leaves.Length)
        {
            _trees[i].FirstLeaf = first;
        }

        var bytes = new List<SplitByte[]>();
        foreach (var i in Enumerable.Range(0, trees.Length).OrderBy(i => trees[i].Bytes.Max(splits => splits.Length)))
        {
            _trees[i].Set = bytes.Count;
            bytes.AddRange(trees[i].Bytes);
        }

        var runs = new List<(int, int, bool)>();
        var steps = new List<sbyte>();
        foreach (var lanes in bytes.Chunk(TLanes.Count))
        {
            _vectors++;
            int[] tables = [.. lanes.SelectMany(splits => splits).Select(split => split.Part / TableSize).Distinct().DefaultIfEmpty(0).Order()];
            foreach (var table in tables)
            {
                SplitByte[][] own = [.. lanes.Select(splits => splits.Where(split => split.Part / TableSize == table).ToArray())];
                var count = own.Max(splits => splits.Length);
                runs.Add((table * TableSize, count, table == tables[^1]));
                for (var step = 0; step < count; step++)
                {
                    SplitByte[] splits = [.. Enumerable.Range(0, TLanes.Count).Select(lane => lane < own.Length && step < own[lane].Length ? own[lane][step]
                        : new(0, 0, -1))];
                    steps.AddRange([.. splits.Select(split => (sbyte)(split.Part % TableSize)), .. splits.Select(split => split.Cut),
                        .. splits.Select(split => split.Keep)]);
                }
            }
        }

        (_runs, _steps) = ([.. runs], new(steps));
    }

    /// <summary>What a row costs, in comparisons of a vector.</summary>
    public int Steps => _steps.Length / (3 * TLanes.Count);

    /// <summary>Ranks that it may read, of which the last ones stand for no part.</summary>
    public static int TableLength(int ranks) => (ranks + TableSize - 1) / TableSize * TableSize;

    /// <summary>Bytes for the trees' sets, read eight at a time.</summary>
    public int ScratchLength => _vectors * TLanes.Count + sizeof(ulong);

    /// <summary>Adds the trees, one after another, to a sum.</summary>
    /// <param name="sum">The sum.</param>
    /// <param name="ranks">The row's ranks, readable to <see cref="TableLength"/>.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> bytes to write to meanwhile.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public double Add(double sum, sbyte* ranks, sbyte* scratch)
    {
        var step = _steps.Pointer;
        var sets = scratch;
        var set = TLanes.Create(-1);
        foreach (var (table, steps, isLast) in _runs)
        {
            for (var end = step + steps * 3 * TLanes.Count; step < end; step += 3 * TLanes.Count)
            {
                set = TLanes.Keep(set, TLanes.Lookup(ranks + table, *(TVector*)step), *(TVector*)(step + TLanes.Count),
                    *(TVector*)(step + 2 * TLanes.Count));
            }

            if (isLast)
            {
                *(TVector*)sets = set;
                set = TLanes.Create(-1);
                sets += TLanes.Count;
            }
        }

        fixed (double* leaves = _leaves)
        fixed ((int Set, int FirstLeaf)* trees = _trees)
        {
            for (var tree = trees; tree < trees + _trees.Length; tree++)
            {
                sum += leaves[tree->FirstLeaf + LowestBit((ulong*)(scratch + tree->Set))];
            }
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LowestBit(ulong* set)
    {
        var skipped = 0;
        var bits = *set;
        while (bits == 0)
        {
            skipped += 64;
            bits = *++set;
        }

        return skipped + BitOperations.TrailingZeroCount(bits);
    }
}
