using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Networks;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>
/// What options may take from a network: weights or structures that are set to zero, groups or blocks that are removed. They lie in pools, within which the
/// least important go first, and are counted against the dense network: those that went before included. A kind says how many there are, and takes some of
/// them out of a network; how many an amount is, and a cost, is told here.
/// </summary>
/// <param name="options">Validated options for layers of one rule.</param>
/// <param name="start">The network before the first step.</param>
/// <param name="now">The network as it is.</param>
/// <param name="scores">The importance of what is left in it.</param>
internal abstract class Candidates(SelectionOptions options, PrunedNetwork start, PrunedNetwork now, ImportanceScores scores)
{
    private const int Bisections = 20;

    private readonly DenseMetadata _dense = DenseMetadata.Of(start.Network);

    /// <summary>The pools as they are now.</summary>
    public abstract IReadOnlyList<CandidatePoolSize> Pools { get; }

    /// <summary>Whether they are removed rather than set to zero.</summary>
    public bool Removes => options.Granularity.Removes;

    /// <summary>Share of what the dense network cost, by the measure of the amount, that is gone.</summary>
    public double CostGone => 1 - (double)Cost(now.Network) / DenseCost;

    protected SelectionOptions Options => options;

    protected PrunedNetwork Start => start;

    protected PrunedNetwork Now => now;

    protected ImportanceScores Scores => scores;

    private long DenseCost => options.Amount.Budget == NetworkBudget.Parameters ? _dense.Parameters : _dense.MultiplyAdds ?? Cost(start.Network);

    /// <param name="options">Validated options for layers of one rule.</param>
    /// <param name="start">The network to prune.</param>
    /// <param name="scores">The importance of what is in it.</param>
    /// <param name="isApart">Whether each weight or width is a pool of its own, whatever the scope compares.</param>
    /// <exception cref="ArgumentException">Nothing in scope can be pruned.</exception>
    public static Candidates Of(SelectionOptions options, PrunedNetwork start, ImportanceScores scores, bool isApart = false)
    {
        // Thresholds look at each layer by itself.
        isApart |= options.Amount.IsThreshold || !options.Scope.IsTogether;
        return options.Granularity.IsDepth ? new BlockCandidates(options, start, scores)
            : options.Granularity.Removes ? new GroupCandidates(options, start, scores, isApart) : new MaskCandidates(options, start, scores, isApart);
    }

    /// <summary>The same in what is left of the network.</summary>
    /// <param name="now">The network.</param>
    /// <param name="measured">The importance of what is left in it.</param>
    public abstract Candidates In(PrunedNetwork now, ImportanceScores measured);

    /// <summary>Those of a layer alone, each weight or width a pool of its own.</summary>
    public abstract Candidates Within(string layer);

    /// <summary>The network with what <see cref="Describe"/> counts, though nothing of it may be gone yet.</summary>
    public virtual PrunedNetwork Open(PrunedNetwork now) => now;

    /// <summary>The network without so many more of each pool, the least important; fewer where no more may go.</summary>
    /// <param name="drops">One number a pool.</param>
    /// <param name="record">Takes in what was compared; null where nobody asks.</param>
    /// <returns>The same network where nothing went.</returns>
    public abstract PrunedNetwork Drop(IReadOnlyList<long> drops, CandidateRecord? record = null);

    /// <summary>What is counted of the network without so many; where structures are removed, without values.</summary>
    public abstract Network Outline(IReadOnlyList<long> drops);

    /// <summary>How many of a pool may still go.</summary>
    public abstract long Room(int pool);

    /// <summary>How many each layer's weight or width, pool by pool, loses where so many of each pool are to go.</summary>
    /// <param name="drops">One number a pool.</param>
    /// <param name="isRounded">Whether widths are rounded.</param>
    public abstract IReadOnlyList<(string Layer, long Lost)> Losses(IReadOnlyList<long> drops, bool isRounded = true);

    /// <summary>Share of the candidates that are gone, and what is left.</summary>
    public abstract (double Sparsity, long Left) Describe(PrunedNetwork now);

    /// <summary>A record of the pools, in which nothing is compared yet.</summary>
    public abstract CandidateRecord NewRecord();

    /// <summary>Tells apart candidates of which others would go: text for each pool.</summary>
    /// <param name="drops">For each pool the numbers that may go.</param>
    public abstract IEnumerable<string> Choices(IReadOnlyList<IEnumerable<long>> drops);

    /// <summary>Why layers have none.</summary>
    public virtual IEnumerable<string> Reasons() => [];

    /// <summary>Adds to the report what they alone know.</summary>
    public virtual PruningReport Complete(PruningReport report, PrunedNetwork after) => report;

    /// <summary>How many of each pool are gone when the amount is, which is no cost.</summary>
    /// <exception cref="PruningTargetException">More of what is set to zero is gone already.</exception>
    public IReadOnlyList<long> Targets()
    {
        var amount = options.Amount;
        if (options.Scope.Distribution.IsAllocated)
        {
            var whole = new CandidatePoolSize([.. Pools.SelectMany(pool => pool.Members)], Pools.Sum(pool => pool.Total), Pools.Sum(pool => pool.Gone));
            var target = Reached(whole, amount.Target(whole.Total, whole.Gone));
            return [.. Pools.Zip(Allocate(whole.Total - target), (pool, kept) => pool.Total - kept)];
        }

        return [.. Pools.Select((pool, p) => Reached(pool, amount.IsThreshold ? pool.Gone + CountBelow(p, amount) : amount.Target(pool.Total, pool.Gone)))];
    }

    /// <summary>The share of the dense network's cost that is gone when the amount is, which is a cost.</summary>
    public double CostTarget() => options.Amount.IsOfRemaining ? 1 - (1 - options.Amount.Value) * (1 - CostGone) : options.Amount.Value;

    /// <summary>How many more of each pool have to go for a share of the dense network's cost: the smallest share of each pool that meets it.</summary>
    /// <param name="share">The share of the cost.</param>
    /// <param name="most">How many of a pool go at most.</param>
    /// <exception cref="PruningTargetException">The cost is not met without all that may go.</exception>
    public IReadOnlyList<long> DropsForCost(double share, long most = long.MaxValue)
    {
        var limit = (1 - share) * DenseCost;
        long Left(IReadOnlyList<long> drops) => Cost(Outline(drops));
        IReadOnlyList<long> Until(double gone) => [.. Pools.Select(pool => Math.Max(0, Amount.Rounded(gone, pool.Total) - pool.Gone))];
        IReadOnlyList<long> AtMost(IReadOnlyList<long> drops) => [.. drops.Select(drop => Math.Min(drop, most))];
        if (Cost(now.Network) <= limit)
        {
            return new long[Pools.Count];
        }

        var (low, high, all) = (0.0, 1.0, Until(1));
        if (most < long.MaxValue && AtMost(all) is var batch && Left(batch) > limit && Losses(batch).Any(layer => layer.Lost > 0))
        {
            return batch;
        }

        if (Left(all) is var least && least > limit)
        {
            throw Unreachable(limit, least);
        }

        for (var i = 0; i < Bisections; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Left(Until(middle)) <= limit ? (low, middle) : (middle, high);
        }

        return AtMost(Until(high));
    }

    /// <summary>Those left in a pool that are worth less than the amount's threshold.</summary>
    protected abstract long CountBelow(int pool, Amount amount);

    /// <summary>How many of each pool, which holds one weight, stay so that so many stay in all.</summary>
    protected virtual IReadOnlyList<long> Allocate(long keep) => throw new NotSupportedException($"Nothing of '{options.Granularity}' is allocated to layers.");

    /// <summary>Records how the candidates of a pool compared, if something of it went or nothing was recorded yet.</summary>
    /// <param name="record">The record.</param>
    /// <param name="pool">Number of the pool.</param>
    /// <param name="lost">Whether something of it went.</param>
    /// <param name="outcomes">What became of the candidates.</param>
    protected void Note(CandidateRecord? record, int pool, bool lost, Func<IEnumerable<CandidateOutcome>> outcomes)
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        if (record is not null && (lost || record.Pools[pool].Comparisons.Count == 0))
        {
            record.Pools[pool].Compare([.. outcomes()], ranked: Removes, options.CancellationToken);
        }
    }

    /// <summary>What a network costs, by the measure of the amount.</summary>
    private long Cost(Network one) => options.Amount.Budget == NetworkBudget.MultiplyAdds ? one.MultiplyAdds() : one.ParameterCount;

    /// <summary>The target, or what is gone where more is.</summary>
    private long Reached(CandidatePoolSize pool, long target)
    {
        // What is removed goes in widths that are rounded and in blocks that hold others, so that more may be gone than was requested.
        if (Removes || target >= pool.Gone)
        {
            return Math.Max(Math.Min(target, pool.Total - pool.Last), pool.Gone);
        }

        throw new PruningTargetException($"The target is {target} of {pool.Total} weights or structures of "
            + $"{string.Join(", ", pool.Members.Select(member => member.Parameter))} (sparsity {(double)target / pool.Total:0.####}), but {pool.Gone} are "
            + $"pruned already (sparsity {(double)pool.Gone / pool.Total:0.####}). Amounts are of what the dense network has; {nameof(Amount)}."
            + $"{nameof(Amount.OfRemaining)} makes them of what is left.");
    }

    private PruningTargetException Unreachable(double limit, long least) => new($"The target is {limit:0} of {DenseCost} ({options.Amount}), but "
        + (options.Granularity.IsDepth ? "without any of the network's blocks in scope"
            : $"with {(options.MinimumKept > 0 ? $"a share of {options.MinimumKept}" : "one group")} left in every layer in scope")
        + $" the network still has {least}.");
}

/// <summary>How many candidates are compared with each other.</summary>
/// <param name="Members">Names of the layers, and of their weights, that they are in.</param>
/// <param name="Total">Those of the dense network.</param>
/// <param name="Gone">Those that are gone.</param>
/// <param name="Multiple">What the number left is rounded to a multiple of.</param>
/// <param name="Last">Those that stay, whatever is requested.</param>
internal sealed record CandidatePoolSize(IReadOnlyList<(string Layer, string Parameter)> Members, long Total, long Gone, int Multiple = 1, int Last = 0);
