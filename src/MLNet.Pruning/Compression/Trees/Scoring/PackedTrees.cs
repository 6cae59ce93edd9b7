using System.Runtime.Intrinsics;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>A model's trees as the kernels of this machine read them. Immutable: scorers on any thread share it.</summary>
internal abstract class PackedTrees(TreeModel model)
{
    public TreeModel Model => model;

    /// <summary>Bytes of the processor's vectors, and so rows of a block.</summary>
    public static int VectorBytes => Vector512.IsHardwareAccelerated ? 64 : Vector256.IsHardwareAccelerated ? 32 : 16;

    /// <summary>For vectors as wide as the processor's.</summary>
    public static PackedTrees Of(TreeModel model) => Of(model, VectorBytes);

    /// <summary>For vectors of 16, 32 or 64 bytes, no wider than the processor's.</summary>
    public static PackedTrees Of(TreeModel model, int vectorBytes) => vectorBytes switch
    {
        64 => new PackedTrees<Vector512<sbyte>, Lanes512>(model),
        32 => new PackedTrees<Vector256<sbyte>, Lanes256>(model),
        _ => new PackedTrees<Vector128<sbyte>, Lanes128>(model),
    };

    /// <summary>What one scorer at a time writes to.</summary>
    public abstract TreeScratch CreateScratch();

    /// <summary>Sums up the trees.</summary>
    /// <param name="rows">Complete rows, one after another.</param>
    /// <param name="count">How many.</param>
    /// <param name="scratch">Where to write meanwhile.</param>
    /// <param name="scores">Receives the sums, row by row.</param>
    public abstract void Score(ReadOnlySpan<float> rows, int count, TreeScratch scratch, Span<float> scores);
}

/// <summary>
/// Blocks of rows go through <see cref="RowLanes{TVector, TLanes}"/>, and what is left over row by row through <see cref="TreeLanes{TVector, TLanes}"/>. Trees
/// too large for sets of leaves are added by <see cref="TreeWalk"/> after the others, each in their order, so that a row has the same score wherever it stands.
/// </summary>
internal sealed unsafe class PackedTrees<TVector, TLanes> : PackedTrees where TVector : unmanaged where TLanes : ILanes<TVector>
{
    // A step of one row reads three vectors from memory where a step of a block reads one from the nearest cache: as measured on a Zen 4 at all three
    // widths, where a block is worth it from about 24, 13 and 8 rows on.
    private const int StepsOfBlockPerStepOfRow = 2;

    private readonly FeatureRanks _ranks;
    private readonly Ensemble[] _ensembles;
    private readonly bool _hasLarge;
    private readonly int _smallestBlock;
    private readonly int _smallestTwo;

    public PackedTrees(TreeModel model) : base(model)
    {
        _ranks = new(model);
        _ensembles = [.. model.Ensembles.Select(ensemble => new Ensemble(ensemble, _ranks))];
        _hasLarge = _ensembles.Any(ensemble => !ensemble.Large.IsEmpty);
        var rowSteps = _ensembles.Sum(ensemble => ensemble.Row.Steps);
        _smallestBlock = rowSteps == 0 ? int.MaxValue : _ensembles.Sum(ensemble => ensemble.Block.Steps) / (StepsOfBlockPerStepOfRow * rowSteps) + 1;
        // Two vectors take 1.5 to 1.7 times as long as one, as measured on a Zen 4 with AVX2 and AVX-512.
        _smallestTwo = rowSteps == 0 ? int.MaxValue : TLanes.Count + Math.Max(1, _smallestBlock / 2);
    }

    public override TreeScratch CreateScratch() => new(TreeLanes<TVector, TLanes>.TableLength(_ranks.Count), 2 * _ranks.Count * TLanes.Count,
        2 * _ensembles.Length * TLanes.Count, _ensembles.Max(ensemble => ensemble.Row.ScratchLength));

    public override void Score(ReadOnlySpan<float> rows, int count, TreeScratch scratch, Span<float> scores)
    {
        while (count > 0)
        {
            var block = Math.Min(count, count >= _smallestTwo ? 2 * TLanes.Count : TLanes.Count);
            if (block >= _smallestBlock)
            {
                ScoreBlock(rows, block, scratch, scores);
            }
            else
            {
                block = 1;
                ScoreRow(rows, scratch, scores);
            }

            rows = rows[(block * Model.Width)..];
            scores = scores[(block * _ensembles.Length)..];
            count -= block;
        }

        GC.KeepAlive(this);
        GC.KeepAlive(scratch);
    }

    private void ScoreRow(ReadOnlySpan<float> row, TreeScratch scratch, Span<float> scores)
    {
        var ranks = scratch.RowRanks.Pointer;
        _ranks.Rank<TVector, TLanes>(row, Model.Width, 1, ranks, stride: 1);
        for (var i = 0; i < _ensembles.Length; i++)
        {
            var ensemble = _ensembles[i];
            scores[i] = (float)ensemble.Large.Add(ensemble.Row.Add(ensemble.Offset, ranks, scratch.Sets.Pointer), ranks);
        }
    }

    private void ScoreBlock(ReadOnlySpan<float> rows, int count, TreeScratch scratch, Span<float> scores)
    {
        // Ranks of lanes without a row are those of rows before.
        var lanes = count > TLanes.Count ? 2 * TLanes.Count : TLanes.Count;
        _ranks.Rank<TVector, TLanes>(rows, Model.Width, count, scratch.BlockRanks.Pointer, lanes);
        for (var i = 0; i < _ensembles.Length; i++)
        {
            var sums = scratch.Sums.Pointer + i * lanes;
            new Span<double>(sums, lanes).Fill(_ensembles[i].Offset);
            if (lanes > TLanes.Count)
            {
                _ensembles[i].Block.AddTwo(scratch.BlockRanks.Pointer, sums);
            }
            else
            {
                _ensembles[i].Block.Add(scratch.BlockRanks.Pointer, sums);
            }
        }

        for (var row = 0; row < count; row++)
        {
            if (_hasLarge)
            {
                _ranks.Rank<TVector, TLanes>(rows[(row * Model.Width)..], Model.Width, 1, scratch.RowRanks.Pointer, stride: 1);
            }

            for (var i = 0; i < _ensembles.Length; i++)
            {
                scores[row * _ensembles.Length + i] = (float)_ensembles[i].Large.Add(scratch.Sums.Pointer[i * lanes + row], scratch.RowRanks.Pointer);
            }
        }
    }

    private sealed class Ensemble
    {
        public Ensemble(DecisionTreeEnsemble ensemble, FeatureRanks ranks)
        {
            DecisionTree[] small = [.. ensemble.Trees.Where(tree => tree.LeafValues.Length <= LeafSet.MostLeaves)];
            LeafSet[] sets = [.. small.Select(tree => LeafSet.Of(tree, ranks))];
            (Offset, Block, Row) = (ensemble.Offset, new(sets), new(sets));
            Large = new([.. ensemble.Trees.Where(tree => tree.LeafValues.Length > LeafSet.MostLeaves)], ranks);
        }

        public double Offset { get; }

        public RowLanes<TVector, TLanes> Block { get; }

        /// <summary>The same trees as in <see cref="Block"/>.</summary>
        public TreeLanes<TVector, TLanes> Row { get; }

        /// <summary>The trees too large for sets of leaves.</summary>
        public TreeWalk Large { get; }
    }
}
