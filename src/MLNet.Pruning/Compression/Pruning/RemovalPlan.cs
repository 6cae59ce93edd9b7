using System.Collections.Immutable;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>
/// Removes pieces for good. Amounts and schedules count what the network has when the pruning starts; what was removed before is no longer
/// there to be counted.
/// </summary>
internal abstract class RemovalPlan : PruningPlan
{
    private readonly IReadOnlyList<double> _shares;

    /// <param name="options">Validated options.</param>
    /// <param name="start">The network to prune.</param>
    /// <param name="scores">What pieces are worth in it.</param>
    protected RemovalPlan(PruningOptions options, PrunedNetwork start, ImportanceScores scores)
    {
        (Options, Start, First) = (options, start, scores);
        _shares = options.Schedule.Sparsities(0, Target(options.Amount));
    }

    public override int Steps => _shares.Count;

    /// <summary>Share that is to be gone at the end.</summary>
    protected double Share => _shares[^1];

    protected PruningOptions Options { get; }

    protected PrunedNetwork Start { get; }

    /// <summary>What pieces were worth at the start.</summary>
    protected ImportanceScores First { get; }

    /// <summary>Pieces there were at the start.</summary>
    protected abstract int Total { get; }

    public static RemovalPlan Create(PruningOptions options, PrunedNetwork start, ImportanceScores scores)
        => options.Granularity.IsDepth ? new BlockPlan(options, start, scores) : new GroupPlan(options, start, scores);

    public override PrunedNetwork Prune(PrunedNetwork good, int step, int? most, ref ImportanceScores scores)
        => Remove(good, _shares[step], most ?? int.MaxValue, scores);

    /// <summary>Removes all at once.</summary>
    public PrunedNetwork Prune(PrunedNetwork good, Amount amount) => Remove(good, Target(amount), int.MaxValue, First);

    public override (double Sparsity, long Left) Describe(PrunedNetwork network) => (1 - (double)Pieces(network.Network) / Total, network.Network.ParameterCount);

    /// <summary>Removes until a share of what there was at the start is gone: of the pieces, or of the cost that the amount names.</summary>
    /// <param name="good">The network.</param>
    /// <param name="share">The share.</param>
    /// <param name="most">Pieces of a pool that go at most.</param>
    /// <param name="scores">What pieces are worth.</param>
    /// <returns>The same network where nothing is missing.</returns>
    protected abstract PrunedNetwork Remove(PrunedNetwork good, double share, int most, ImportanceScores scores);

    /// <summary>Pieces that a network has.</summary>
    protected abstract int Pieces(Network network);

    /// <summary>The importances that a threshold is compared with.</summary>
    protected abstract IEnumerable<double[]> Scores();

    /// <summary>What the network costs, by the measure of the amount.</summary>
    protected long Cost(Network network) => Options.Amount.Budget == NetworkBudget.MultiplyAdds ? network.MultiplyAdds() : network.ParameterCount;

    private double Target(Amount amount)
    {
        if (amount.Budget is not null)
        {
            return amount.Value;
        }

        if (amount.IsThreshold)
        {
            var below = Scores().Sum(scores => amount.Threshold(scores.Average(), scores.Max()) is var threshold ? scores.Count(score => score < threshold) : 0);
            return (double)below / Total;
        }

        return (double)amount.Resolve(Total) / Total;
    }
}
