namespace MLNet.Pruning;

/// <summary>Walks a schedule: prune, optionally rewind, fine-tune, measure, and go on or step back.</summary>
internal sealed class PruningLoop
{
    private readonly PruningOptions _options;
    private readonly Pieces _pieces;
    private readonly Func<Network, ValidationResult?> _measure;
    private readonly Func<PrunedNetwork, int, TrainingResult> _fineTune;
    private readonly Action<PruningStep> _report;

    /// <param name="options">Validated options.</param>
    /// <param name="measure">Measures a network on the validation rows.</param>
    /// <param name="fineTune">Trains a masked network for so many epochs.</param>
    /// <param name="report">Told of every step.</param>
    public PruningLoop(PruningOptions options, Func<Network, ValidationResult?> measure, Func<PrunedNetwork, int, TrainingResult> fineTune, Action<PruningStep> report)
    {
        (_options, _measure, _fineTune, _report) = (options, measure, fineTune, report);
        _pieces = new(options.Importance, options.Granularity);
    }

    /// <summary>Prunes.</summary>
    /// <param name="start">The network and what was dropped before.</param>
    /// <param name="rewound">The weights to go back to before each fine-tuning; null to go on from where they are.</param>
    /// <exception cref="PruningTargetException">More than the target is dropped already.</exception>
    /// <exception cref="InvalidOperationException">A tolerance is set and there are no validation rows to measure on.</exception>
    public (PrunedNetwork Network, PruningReport Report) Run(PrunedNetwork start, Network? rewound)
    {
        var pools = _pieces.Pools(start, _options.Scope, _options.Amount);
        var plans = pools.Select(Plan).ToArray();
        var steps = plans.Max(plan => plan.Sparsities.Count);
        var epochs = _options.FineTuneEpochs ?? (steps > 1 ? 2 : 0);
        if (rewound is not null && epochs == 0)
        {
            throw new ArgumentException("Rewinding without fine-tuning would leave untrained weights: set FineTuneEpochs.", nameof(PruningOptions.Rewind));
        }

        var before = _measure(start.Network);
        if (_options.Tolerance is not null && before is null)
        {
            throw new InvalidOperationException("A tolerance needs validation rows to measure on: train with a ValidationFraction above 0.");
        }

        var (good, done) = (start, new List<PruningStep>());
        for (var i = 0; i < steps; i++)
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            var now = plans.Select(plan => plan.DroppedAfter(i)).ToArray();
            var members = pools.Select(pool => (IReadOnlyList<PoolMember>)[.. pool.Select(member => good.Member(member.Parameter))]).ToArray();
            var missing = members.Select((pool, p) => Math.Max(0, now[p] - _pieces.Count(pool).Dropped)).ToArray();
            var pruned = good.Drop(_pieces, members, pool => missing[Array.IndexOf(members, pool)]);
            var (next, fineTuned) = (pruned, default(ValidationResult));
            var measured = _measure(pruned.Network);
            if (epochs > 0)
            {
                var result = _fineTune(rewound is null ? pruned : new PrunedNetwork(rewound, pruned.Masks), epochs);
                (next, fineTuned) = (new PrunedNetwork(result.Network, pruned.Masks), result.Validation);
            }

            var fell = before?.Metric - (fineTuned ?? measured)?.Metric > _options.Tolerance;
            var step = Describe(i + 1, steps, next, measured, fineTuned, kept: !fell);
            done.Add(step);
            _report(step);
            if (fell)
            {
                break;
            }

            good = next;
        }

        return (good, new(before, done));
    }

    private static PruningStep Describe(int step, int steps, PrunedNetwork network, ValidationResult? pruned, ValidationResult? fineTuned, bool kept)
    {
        var masks = network.Masks.Values;
        long total = masks.Sum(mask => (long)mask.Count), left = masks.Sum(mask => (long)mask.Kept);
        return new(step, steps, 1 - (double)left / total, left, pruned, fineTuned, kept);
    }

    private PoolPlan Plan(IReadOnlyList<PoolMember> pool)
    {
        var (dropped, total) = _pieces.Count(pool);
        var target = _options.Amount.IsThreshold ? dropped + _pieces.Resolve(pool, _options.Amount) : _options.Amount.Resolve(total);
        if (target < dropped)
        {
            throw new PruningTargetException($"The target is {target} of {total} pieces of {string.Join(", ", pool.Select(member => member.Parameter.Name))} "
                + $"(sparsity {(double)target / total:0.####}), but {dropped} are pruned already (sparsity {(double)dropped / total:0.####}).");
        }

        return new(_options.Schedule.Sparsities((double)dropped / total, (double)target / total), target, total);
    }

    /// <summary>How far a pool is pruned after each step; it stays at its target once it is there.</summary>
    private sealed record PoolPlan(IReadOnlyList<double> Sparsities, long Target, long Total)
    {
        public long DroppedAfter(int step) => step >= Sparsities.Count - 1 ? Target : (long)Math.Round(Sparsities[step] * Total, MidpointRounding.ToEven);
    }
}
