using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Removes candidates for good. Amounts and schedules count what the dense network had, those that were removed before included.</summary>
internal abstract class RemovalPlan : PruningPlan
{
    private readonly IReadOnlyList<double> _shares;
    private readonly DenseMetadata _dense;

    /// <param name="options">Validated options.</param>
    /// <param name="start">The network to prune.</param>
    /// <param name="scores">Importance scores of the candidates in it.</param>
    protected RemovalPlan(PruningOptions options, PrunedNetwork start, ImportanceScores scores)
    {
        (Options, Start, First, _dense) = (options, start, scores, DenseMetadata.Of(start.Network));
        _shares = options.Schedule.Sparsities(Gone, Target(options.Amount));
    }

    public override int Steps => _shares.Count;

    /// <summary>Share that is to be gone at the end.</summary>
    protected double Share => _shares[^1];

    protected PruningOptions Options { get; }

    protected PrunedNetwork Start { get; }

    /// <summary>The importance scores of the candidates at the start.</summary>
    protected ImportanceScores First { get; }

    /// <summary>Candidates of the dense network.</summary>
    protected abstract int Total { get; }

    /// <summary>What the dense network cost, by the measure of the amount.</summary>
    protected long DenseCost => Options.Amount.Budget == NetworkBudget.Parameters ? _dense.Parameters : _dense.MultiplyAdds ?? Cost(Start.Network);

    /// <summary>Share that was gone at the start: of the candidates, or of the cost that the amount names.</summary>
    protected double Gone => Options.Amount.Budget is null ? (double)(Total - Candidates(Start.Network)) / Total : 1 - (double)Cost(Start.Network) / DenseCost;

    public override PrunedNetwork Prune(PrunedNetwork good, int step, int? most, ref ImportanceScores scores)
        => Remove(good, _shares[step], most ?? int.MaxValue, scores);

    public override (double Sparsity, long Left) Describe(PrunedNetwork network)
        => (1 - (double)Candidates(network.Network) / Total, network.Network.ParameterCount);

    /// <summary>Removes until a share of what the dense network had is gone: of the candidates, or of the cost that the amount names.</summary>
    /// <param name="good">The network.</param>
    /// <param name="share">The share.</param>
    /// <param name="most">Candidates of a pool that go at most.</param>
    /// <param name="scores">Importance scores of the candidates.</param>
    /// <returns>The same network where nothing is missing.</returns>
    protected abstract PrunedNetwork Remove(PrunedNetwork good, double share, int most, ImportanceScores scores);

    /// <summary>Candidates that a network has.</summary>
    protected abstract int Candidates(Network network);

    /// <summary>The importances that a threshold is compared with.</summary>
    protected abstract IEnumerable<double[]> Scores();

    /// <summary>What the network costs, by the measure of the amount.</summary>
    protected long Cost(Network network) => Options.Amount.Budget == NetworkBudget.MultiplyAdds ? network.MultiplyAdds() : network.ParameterCount;

    private double Target(Amount amount)
    {
        if (amount.Budget is not null)
        {
            return amount.IsOfRemaining ? 1 - (1 - amount.Value) * (1 - Gone) : amount.Value;
        }

        var gone = Total - Candidates(Start.Network);

        if (amount.IsThreshold)
        {
            var below = Scores().Sum(scores => amount.Threshold(scores.Average(), scores.Max()) is var threshold ? scores.Count(score => score < threshold)
                : 0);
            return (double)(gone + below) / Total;
        }

        return (double)amount.Target(Total, gone) / Total;
    }
}
