using MLNet.Pruning.Compression.Automation.Search;
using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Networks.Onnx;

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
    /// <param name="measure">Measures a network on the validation rows.</param>
    /// <param name="fineTune">Trains a network for so many epochs.</param>
    /// <param name="settings">All that tells this search from another: see <see cref="AutoPruneOptions.Settings"/>.</param>
    /// <param name="seed">Of the search.</param>
    /// <param name="report">Called with every candidate.</param>
    /// <exception cref="SearchStateException">The state file is damaged, or of another search.</exception>
    /// <exception cref="MetricException">The validation rows do not define the metric.</exception>
    public AutoPruneLoop(AutoPruneOptions options, RatioSpace space, Func<Network, ValidationResult> measure, Func<PrunedNetwork, int, PrunedNetwork> fineTune,
        IEnumerable<(string Name, string Value)> settings, int seed, Action<AutoPruneTrial> report)
    {
        (_options, _space, _measure, _fineTune, _report, _budget) = (options, space, measure, fineTune, report, options.Budget);
        _meter = new(space, _budget.Batch, options.CancellationToken);
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
    }

    /// <summary>Whether milliseconds are measured at all.</summary>
    private bool IsTimed => _options.Objective == CostMeasure.Milliseconds || _budget.Limits.Any(limit => limit.Measure == CostMeasure.Milliseconds);

    /// <exception cref="UnreachableBudgetException">No network meets the budget.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public (PrunedNetwork Network, AutoPruneReport Report) Run()
    {
        if (_log.CostExcess(_log.Smallest) > 0)
        {
            throw CostUnreachable();
        }

        Search();
        var best = _log.Best!;
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
            [.. measures.Select(measure => new BudgetCost(measure, _log.Cost(measure, _log.Dense),
                measure == CostMeasure.Milliseconds ? _log.Cost(measure, best.Levels) : _meter.Of(measure, network.Network),
                _budget.Limits.FirstOrDefault(limit => limit.Measure == measure)?.Most))],
            [.. _log.Trials.Skip(1).Select(Describe)], _resumed, _stopped));
    }

    private void Search()
    {
        var started = _options.Clock.GetTimestamp();
        _log.Add(_log.Dense, _log.Before);
        // Whatever the strategy does first, one network within the costs is measured.
        var affordable = Enumerable.Range(0, _log.Layers.Max(layer => layer.Last) + 1).Select(_log.Uniform).First(levels => _log.CostExcess(levels) == 0);
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
                _log.Remember(CostMeasure.Milliseconds, levels, milliseconds);
            }

            return _log.Add(levels, new(known.Metric, known.Loss, _log.Before.Name, _log.Before.Unit, _log.Before.Direction));
        }

        var validation = _measure(Candidate(levels).Network);
        _state.Add(new([.. levels], IsTimed ? _log.Cost(CostMeasure.Milliseconds, levels) : null, validation.Metric, validation.Loss));
        return _log.Add(levels, validation);
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
        var excess = _log.CostExcess(measure => measure == CostMeasure.Milliseconds ? _log.Cost(measure, best.Levels) : _meter.Of(measure, tuned.Network));
        return _log.Compare(best with { CostExcess = excess, MetricExcess = _log.MetricExcess(validation), Validation = validation }, best) < 0
            ? (tuned, validation) : (searched, best.Validation);
    }

    private AutoPruneTrial Describe(SearchTrial trial, int index)
        => new(index + 1, _space.Kept(trial.Levels), trial.Size, trial.Validation, trial.Meets);

    private UnreachableBudgetException CostUnreachable()
    {
        var smallest = _space.Prune(_log.Smallest).Network;
        var limit = _budget.Limits.First(limit => _log.Cost(limit.Measure, _log.Smallest) > limit.Most);
        var cost = _log.Cost(limit.Measure, _log.Smallest);
        var searched = _log.Layers.GroupBy(layer => layer.Layer).ToDictionary(layers => layers.Key, layers => layers.First());
        return new(_budget, limit.ToString(), cost - limit.Most,
            _meter.ByLayer(limit.Measure, smallest).Select(layer => new BlockingLayer(layer.Layer, layer.Cost,
                searched.TryGetValue(layer.Layer, out var ratio)
                    ? FormattableString.Invariant($"what is left of it at the greatest sparsity allowed, {ratio.Kept[^1]} of {ratio.Total}")
                : "it cannot lose weights or structures of its own, or is out of scope")),
            FormattableString.Invariant($"with every layer at its greatest sparsity the network still has {cost:0.####} {BudgetLimit.Text(
                limit.Measure)}, {cost - limit.Most:0.####} too many."), _space.Reasons);
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
