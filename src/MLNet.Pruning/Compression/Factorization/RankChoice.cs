namespace MLNet.Pruning.Compression.Factorization;

/// <summary>The ranks of a layer; null, with the reason, where it stays as it is.</summary>
internal readonly record struct RankChoice(ImmutableArray<int>? Ranks, string? Reason)
{
    public static implicit operator RankChoice(ImmutableArray<int> ranks) => new(ranks, null);

    public static RankChoice None(string reason) => new(null, reason);
}
