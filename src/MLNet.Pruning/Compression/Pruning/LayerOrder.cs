namespace MLNet.Pruning.Compression.Pruning;

/// <summary>In which order layers are pruned.</summary>
internal enum LayerOrder
{
    Together,
    BottomUp,
    TopDown,
}
