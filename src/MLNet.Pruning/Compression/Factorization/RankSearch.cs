namespace MLNet.Pruning.Compression.Factorization;

/// <summary>What rules that look at the whole network need.</summary>
/// <param name="Network">The network as it is.</param>
/// <param name="Step">How it is factorised.</param>
internal sealed record RankSearch(Network Network, FactorizationStep Step);
