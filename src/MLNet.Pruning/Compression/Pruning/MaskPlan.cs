using MLNet.Pruning.Compression.Pruning.Record;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning.Compression.Pruning;

/// <summary>Sets candidates to zero and holds them there by masks.</summary>
internal sealed class MaskPlan : PruningPlan
{
    private readonly PruningOptions _options;
    private readonly PrunedNetwork _start;
    private readonly Candidates _candidates;
    private readonly IReadOnlyList<IReadOnlyList<PoolMember>> _pools;
    private readonly PoolPlan[] _plans;

    public MaskPlan(PruningOptions options, PrunedNetwork start, ImportanceScores scores)
    {
        (_options, _start) = (options, start);
        _candidates = new(scores, options.Granularity, options.Scope, options.Amount, options.MinimumKept, options.CancellationToken);
        _pools = _candidates.Pools(start);
        var counts = _pools.Select(_candidates.Count).ToArray();
        _plans = Plans(_candidates.Targets(_pools, counts), counts);
        Record = Records();
    }

    /// <summary>A plan for some of another's members, each by itself, and how many of their candidates are to be gone.</summary>
    private MaskPlan(MaskPlan other, IReadOnlyList<PoolMember> members, IReadOnlyList<long> targets)
    {
        (_options, _start, _candidates) = (other._options, other._start, other._candidates);
        _pools = [.. members.Select(member => new[] { member })];
        _plans = Plans(targets, [.. _pools.Select(_candidates.Count)]);
        Record = Records();
    }

    public override int Steps => _plans.Max(plan => plan.Sparsities.Count);

    public override CandidateRecord Record { get; }

    public override PrunedNetwork Prune(PrunedNetwork good, int step, int? most, ref ImportanceScores scores)
    {
        var now = _plans.Select(plan => plan.DroppedAfter(step)).ToArray();
        var candidates = _candidates.With(scores);
        good = Open(good, candidates);
        var members = Members(good);
        var missing = members
            .Select((pool, p) => Math.Clamp(now[p] - candidates.Count(pool).Dropped, 0, Math.Min(most ?? long.MaxValue, candidates.Room(pool)))).ToArray();
        if (most is not null && missing.All(count => count == 0))
        {
            return good;
        }

        var pruned = good.Drop(candidates, members, missing);
        for (var p = 0; p < members.Length; p++)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            if (missing[p] > 0 || Record.Pools[p].Comparisons.Count == 0)
            {
                var compared = candidates.Scores(members[p]);
                Record.Pools[p].Compare([.. members[p].Select((member, m) => candidates.Layout(member).Layout is var layout
                    ? new CandidateOutcome(compared[m], layout.Alive(member.Mask), layout.Alive(pruned.Masks[member.Parameter.Name])) : default)],
                    cancellation: _options.CancellationToken);
            }
        }

        return pruned;
    }

    public override PruningReport Complete(PruningReport report, PrunedNetwork network)
    {
        var all = base.Complete(report, network);
        return _options.MinimumKept == 0 || report.StoppedEarly ? all : all with { Warnings = [.. report.Warnings, .. Held(Members(Open(network)))] };
    }

    /// <summary>Pools of which candidates stay that the amount asks for.</summary>
    private IEnumerable<string> Held(IReadOnlyList<PoolMember>[] members) =>
        from pool in members.Select((pool, p) => (Members: pool, Missing: _plans[p].Target - _candidates.Count(pool).Dropped))
        where pool.Missing > 0
        let layers = string.Join(", ", pool.Members.Select(member => $"'{member.Layer}'").Distinct())
        select string.Create(CultureInfo.InvariantCulture, $"The amount {_options.Amount} is not reached: "
            + $"{nameof(PruningOptions.MinimumKept)} {_options.MinimumKept} keeps {pool.Missing:N0} weights or structures of {layers} that it asks for.");

    public override (double Sparsity, long Left) Describe(PrunedNetwork network)
    {
        var masks = network.Masks.Values;
        long total = masks.Sum(mask => (long)mask.Count), left = masks.Sum(mask => (long)mask.Kept);
        return (1 - (double)left / total, left);
    }

    /// <summary>Every parameter in scope has a mask.</summary>
    public override PrunedNetwork Open(PrunedNetwork start) => Open(start, _candidates);

    private PrunedNetwork Open(PrunedNetwork start, Candidates candidates)
        => _pools.All(pool => pool.All(member => start.Masks.ContainsKey(member.Parameter.Name))) ? start
        : start.Drop(candidates, Members(start), new long[_pools.Count]);

    public override IEnumerable<(string Layer, PruningPlan Plan)> ByLayer()
        => _pools.SelectMany((pool, p) => pool.Zip(_candidates.Drop(pool, _plans[p].Target - _candidates.Count(pool).Dropped), (member, mask)
                => (Member: member, Target: _candidates.Count([member with { Mask = mask }]).Dropped, Now: _candidates.Count([member]).Dropped)))
            .Where(one => one.Target > one.Now).GroupBy(one => one.Member.Layer)
            .Select(layer => (layer.Key, (PruningPlan)new MaskPlan(this, [.. layer.Select(one => one.Member)], [.. layer.Select(one => one.Target)])));

    private IReadOnlyList<PoolMember>[] Members(PrunedNetwork network)
        => [.. _pools.Select(pool => (IReadOnlyList<PoolMember>)[.. pool.Select(member => network.Member(member.Parameter.Name))])];

    private PoolPlan[] Plans(IReadOnlyList<long> targets, IReadOnlyList<(long Dropped, long Total)> counts) => [.. targets.Zip(counts, (target, count)
        => new PoolPlan(_options.Schedule.Sparsities((double)count.Dropped / count.Total, (double)target / count.Total), target, count.Total))];

    private CandidateRecord Records() => new()
    {
        Pools = [.. _pools.Select(pool => new CandidatePool { Tables = [.. pool.Select(Table)] })],
    };

    private CandidateTable Table(PoolMember member)
    {
        var (layout, pattern) = _candidates.Layout(member);
        return new(member.Parameter.Name, member.Layer, member.Parameter.Shape, layout)
        {
            Pattern = pattern is { } size ? (size, member.Parameter.Shape.Skip(member.Axes.Input + 1).Aggregate(1, (product, inner) => product * inner)) : null,
        };
    }

    /// <summary>How far a pool is pruned after each step; it stays at its target once it is there.</summary>
    private sealed record PoolPlan(IReadOnlyList<double> Sparsities, long Target, long Total)
    {
        public long DroppedAfter(int step) => step >= Sparsities.Count - 1 ? Target : (long)Math.Round(Sparsities[step] * Total, MidpointRounding.ToEven);
    }
}
