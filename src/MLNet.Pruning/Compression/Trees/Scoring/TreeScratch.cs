namespace MLNet.Pruning.Compression.Trees.Scoring;

/// <summary>What a scorer of trees writes to while it scores, so that it allocates nothing a row.</summary>
internal sealed class TreeScratch(int rowRanks, int blockRanks, int sums, int sets)
{
    public AlignedArray<sbyte> RowRanks { get; } = new(rowRanks);

    public AlignedArray<sbyte> BlockRanks { get; } = new(blockRanks);

    public AlignedArray<double> Sums { get; } = new(sums);

    public AlignedArray<sbyte> Sets { get; } = new(sets);
}
