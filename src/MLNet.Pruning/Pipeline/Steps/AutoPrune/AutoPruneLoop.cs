using MLNet.Pruning.Compression.Automation.Search;
using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning.Pipeline.Steps.AutoPrune;

/// <summary>Measures what a strategy proposes until it ends or time runs out, and finishes the best.</summary>
internal sealed class AutoPruneLoop
{
    private readonly AutoPruneOptions _options;
    private readonly RatioSpace _space;
    private readonly Func<Network, ValidationResult> _measure;
    private readonly Func<PrunedNetwork, int, PrunedNetwork> _fineTune;
    private readonly Action<AutoPruneTrial> _report;
    private readonly CostMeter _meter;
    private readonly SearchLog _log;
    private readonly SearchState _state;
    private readonly Budget _budget;
    private int _resumed;
    private bool _stopped;

    /// <param name="options">Validated options.</param>
    /// <param name="space">The networks to choose from.</param>
    /// <param name="dense">The network before its first pruning, whose time a share is of.</param>
    /// <param name="measure">Measures a network on the validation rows.</param>
    /// <param name="fineTune">Trains a network for so many epochs.</param>
    /// <param name="settings">All that tells this search from another: see <see cref="AutoPruneOptions.Settings"/>.</param>
    /// <param name="seed">Of the search.</param>
    /// <param name="report">Called with every candidate.</param>
    /// <exception cref="SearchStateException">The state file is damaged, or of another search.</exception>
    /// <exception cref="MetricException">The validation rows do not define the metric.</exception>
    public AutoPruneLoop(AutoPruneOptions options, RatioSpace space, Network dense, Func<Network, ValidationResult> measure,
        Func<PrunedNetwork, int, PrunedNetwork> fineTune, IEnumerable<(string Name, string Value)> settings, int seed, Action<AutoPruneTrial> report)
    {
        (_options, _space, _measure, _fineTune, _report, _budget) = (options, space, measure, fineTune, report, options.Budget);
        _meter = new(space, options.Timer, _budget.Time?.Batch ?? 1, _budget.Time is { IsShare: true } ? dense : space.Start.Network,
            options.CancellationToken);
        var before = measure(space.Start.Network);
        if (double.IsNaN(before.Metric))
        {
            throw new MetricException(before.Name, "a search");
        }

        _log = new(space, _meter, _budget, options.Objective, before, seed);
        _state = new(options.StatePath,
        [
            .. settings, ("network", NetworkHash.Of(space.Start.Network)),
            ("choice of pieces", space.Fingerprint()), ("validation result",
                FormattableString.Invariant($"{before.Name} {before.Metric:r}, loss {before.Loss:r}")),
        ]);
        if (IsTimed)
        {
            _state.Latency = _meter.Latency = _state.Latency ?? _meter.Latency;
        }
    }

    /// <summary>Whether milliseconds are measured at all.</summary>
    private bool IsTimed => _options.Objective == CostMeasure.Milliseconds || _budget.Time is not null;

    /// <summary>Networks all of whose layers are at the same level, from the dense one to the smallest.</summary>
    private IEnumerable<int[]> Uniform => Enumerable.Range(0, _log.Layers.Max(layer => layer.Last) + 1).Select(_log.Uniform);

    /// <exception cref="UnreachableBudgetException">No network meets the budget.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public (PrunedNetwork Network, AutoPruneReport Report) Run()
    {
        if (IsTimed && !Uniform.Any(IsAffordable))
        {
            // By the table alone nothing is refused.
            _log.Time(_log.Smallest, _meter.Milliseconds(_log.Smallest));
        }

        if (!Uniform.Any(IsAffordable))
        {
            // Of times the least may be another's than the smallest network's.
            var limit = _budget.Limits.First(limit => _log.Known(limit.Measure, _log.Smallest) > _meter.Most(limit));
            var most = _meter.Most(limit);
            throw CostUnreachable(limit, Uniform.Select(levels => _log.Known(limit.Measure, levels)).Where(cost => cost > most).Min(), most);
        }

        Search();
        var (best, times) = IsTimed ? InTime() : (_log.Best!, default);
        var searched = Candidate(best.Levels);
        var (network, after) = _options.FineTuneEpochs == 0 ? (searched, best.Validation) : Better(searched, best);
        if (_log.MetricExcess(after) > 0)
        {
            throw MetricUnreachable(best, after);
        }

        var kept = _space.Kept(best.Levels);
        CostMeasure[] measures = [.. _budget.Limits.Select(limit => limit.Measure).Append(_options.Objective).Distinct()];
        return (network, new(_budget.ToString(), _log.Before, best.Validation, after,
            [.. _space.Layers.Select((layer, l) => new LayerRatio(layer.Layer, layer.Parameter, layer.Total, kept[l]))],
            [.. measures.Select(measure => measure == CostMeasure.Milliseconds
                ? new BudgetCost(measure, times.Before.Milliseconds, times.After.Milliseconds, _budget.Time?.MostOf(() => times.Before.Milliseconds))
                : new(measure, _log.Cost(measure, _log.Dense), _meter.Of(measure, network.Network),
                    _budget.Limits.FirstOrDefault(limit => limit.Measure == measure)?.Most))],
            [.. _log.Trials.Skip(1).Select(Describe)], _resumed, _stopped)
        {
            LayerTimes = IsTimed ? _meter.Latency : null,
            RuntimeBefore = IsTimed ? times.Before.Runtime : null,
            RuntimeAfter = IsTimed ? times.After.Runtime : null,
        });
    }

    private bool IsAffordable(int[] levels) => _log.CostExcess(levels) == 0;

    private void Search()
    {
        var started = _options.Clock.GetTimestamp();
        _log.Add(_log.Dense, _log.Before);
        // Whatever the strategy does first, one network within the costs is measured.
        var affordable = Uniform.FirstOrDefault(IsAffordable, _log.Smallest);
        foreach (var levels in _options.Strategy.Propose(_log).Prepend(affordable))
        {
            _options.CancellationToken.ThrowIfCancellationRequested();
            if (_log.Find(levels) is not null)
            {
                continue;
            }

            // The dense network is the first trial.
            var tried = _log.Trials.Count - 1;
            if (tried > 0 && (tried >= _options.MaximumTrials || (_state.Find(levels) is null && _options.Clock.GetElapsedTime(started) >= _options.TimeLimit)))
            {
                _stopped = true;
                return;
            }

            Evaluate(levels);
            _report(Describe(_log.Trials[^1], _log.Trials.Count - 2));
        }
    }

    private SearchTrial Evaluate(IReadOnlyList<int> levels)
    {
        if (_state.Find(levels) is { } known)
        {
            _resumed++;
            if (known.Milliseconds is { } milliseconds)
            {
                _log.Time(levels, milliseconds);
            }

            return _log.Add(levels, new(known.Metric, known.Loss, _log.Before.Name, _log.Before.Unit, _log.Before.Direction));
        }

        var validation = _measure(Candidate(levels).Network);
        var trial = _log.Add(levels, validation);
        _state.Add(new([.. levels], _log.Timed(levels), validation.Metric, validation.Loss));
        return trial;
    }

    /// <summary>The network as candidates are measured.</summary>
    private PrunedNetwork Candidate(IReadOnlyList<int> levels)
        => levels.All(level => level == 0) ? _space.Start : _options.CandidateEpochs == 0 ? _space.Prune(levels)
            : _fineTune(_space.Prune(levels), _options.CandidateEpochs);

    /// <summary>The network after its fine-tuning, or without it where that came out worse.</summary>
    private (PrunedNetwork, ValidationResult) Better(PrunedNetwork searched, SearchTrial best)
    {
        var tuned = _fineTune(searched, _options.FineTuneEpochs);
        var validation = _measure(tuned.Network);
        // Time does not depend on what the weights are that are left, and was within its limit.
        var excess = _log.CostExcess(measure => measure == CostMeasure.Milliseconds ? 0 : _meter.Of(measure, tuned.Network));
        return _log.Compare(best with { CostExcess = excess, MetricExcess = _log.MetricExcess(validation), Validation = validation }, best) < 0
            ? (tuned, validation) : (searched, best.Validation);
    }

    /// <summary>
    /// The best network that is within the limit on time as it is timed in the end: as a whole, in turns with the one before. Where none of those measured is,
    /// the best goes on losing of every layer until it is.
    /// </summary>
    /// <exception cref="UnreachableBudgetException">The smallest network takes too long.</exception>
    private (SearchTrial Trial, (NetworkTime Before, NetworkTime After) Times) InTime()
    {
        var (least, most, slow) = (double.PositiveInfinity, 0.0, double.PositiveInfinity);
        foreach (var levels in _log.Trials.Where(trial => trial.Meets).Order(Comparer<SearchTrial>.Create(_log.Compare)).Select(trial => trial.Levels)
            .Concat(Further(_log.Best!.Levels)))
        {
            // One that takes as long by the table as another that took too long is not tried.
            var isLast = levels.SequenceEqual(_log.Smallest);
            if (!isLast && (_log.Cost(CostMeasure.Milliseconds, levels) >= slow
                || _log.CostExcess(measure => measure == CostMeasure.Milliseconds ? 0 : _log.Cost(measure, levels)) > 0))
            {
                continue;
            }

            var times = _meter.InTurns(levels);
            most = _budget.Time?.MostOf(() => times.Before.Milliseconds) ?? double.PositiveInfinity;
            if (times.After.Milliseconds <= most)
            {
                return ((_log.Find(levels) ?? Evaluate(levels)) with { CostExcess = 0 }, times);
            }

            (least, slow) = (Math.Min(least, times.After.Milliseconds), Math.Min(slow, _log.Cost(CostMeasure.Milliseconds, levels)));
        }

        throw CostUnreachable(_budget.Time!, least, most);
    }

    /// <summary>A network, and others whose layers are at levels after its own, up to the last.</summary>
    private IEnumerable<IReadOnlyList<int>> Further(IReadOnlyList<int> levels) => Enumerable.Range(0, _log.Layers.Max(layer => layer.Last) + 1)
        .Select(steps => (IReadOnlyList<int>)[.. levels.Zip(_log.Layers, (level, layer) => Math.Min(level + steps, layer.Last))]);

    private AutoPruneTrial Describe(SearchTrial trial, int index)
        => new(index + 1, _space.Kept(trial.Levels), trial.Size, trial.Validation, trial.Meets);

    private UnreachableBudgetException CostUnreachable(BudgetLimit limit, double cost, double most)
    {
        var smallest = _space.Prune(_log.Smallest).Network;
        var searched = _log.Layers.GroupBy(layer => layer.Layer).ToDictionary(layers => layers.Key, layers => layers.First());
        return new(_budget, limit.ToString(), cost - most,
            _meter.ByLayer(limit.Measure, smallest).Select(layer => new BlockingLayer(layer.Layer, layer.Cost,
                searched.TryGetValue(layer.Layer, out var ratio)
                    ? FormattableString.Invariant($"what is left of it at the greatest sparsity allowed, {ratio.Kept[^1]} of {ratio.Total}")
                : "it cannot lose weights or structures of its own, or is out of scope")),
            limit.Measure == CostMeasure.Milliseconds
                ? FormattableString.Invariant($"the least time that was reached is {cost:0.######} milliseconds, {cost - most:0.######} too many.")
                : FormattableString.Invariant($"with every layer at its greatest sparsity the network still has {cost:0.####} {BudgetLimit.Text(
                    limit.Measure)}, {cost - most:0.####} too many."), _space.Reasons);
    }

    /// <summary>Prunes each layer alone as the nearest network does, to see by how much that is too much for the metric.</summary>
    private UnreachableBudgetException MetricUnreachable(SearchTrial nearest, ValidationResult after)
    {
        var layers = _log.Layers.Select((layer, l) =>
        {
            var alone = _log.Dense;
            alone[l] = nearest.Levels[l];
            var trial = _log.Find(alone) ?? Evaluate(alone);
            return new BlockingLayer(layer.Layer, trial.MetricExcess,
                FormattableString.Invariant($"{_log.Before
                    .LossTo(trial.Validation):0.####} of the metric is lost with this layer alone at sparsity {layer.Sparsity(nearest.Levels[l]):0.###}"));
        });
        return new(_budget, FormattableString.Invariant($"at most {_budget.MaximumMetricLoss} loss of metric"), _log.MetricExcess(after), layers,
            FormattableString.Invariant($"the nearest network found within the costs loses {_log.Before
                .LossTo(after):0.####} of the metric{(_stopped ? " (the search was stopped before its end)" : "")}."));
    }
}
