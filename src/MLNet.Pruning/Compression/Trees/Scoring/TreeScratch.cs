using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>What a scorer of trees writes to while it scores, so that it allocates nothing a row.</summary>
internal sealed class TreeScratch(int rowRanks, int blockRanks, int sums, int sets)
{
    public Aligned<sbyte> RowRanks { get; } = new(rowRanks);

    public Aligned<sbyte> BlockRanks { get; } = new(blockRanks);

    public Aligned<double> Sums { get; } = new(sums);

    public Aligned<sbyte> Sets { get; } = new(sets);
}
