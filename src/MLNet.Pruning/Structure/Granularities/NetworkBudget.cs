namespace MLNet.Pruning.Structure.Granularities;

/// <summary>A cost that a pruning can aim at.</summary>
internal enum NetworkBudget
{
    MultiplyAdds,
    Parameters,
}
