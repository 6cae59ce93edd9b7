namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Each layer in a form of its own, chosen by what it costs and what it loses alone.</summary>
internal sealed class MixedQuantizer : Quantizer
{
    private readonly Budget _budget;
    private readonly ImmutableArray<Quantizer> _candidates;

    public MixedQuantizer(Budget budget, IReadOnlyList<Quantizer>? candidates)
    {
        ArgumentNullException.ThrowIfNull(budget);
        _budget = budget.For(nameof(Mixed), [CostMeasure.Bytes, CostMeasure.Milliseconds], nameof(budget));
        // Fewer bytes for one, integers that kernels multiply for the other.
        _candidates = candidates is not null ? [.. candidates] : budget.Limits.Any(limit => limit.Measure == CostMeasure.Milliseconds) ? [Int8()]
            : [Weights(8), Weights(4), Weights(2)];
        if (_candidates.Length == 0 || _candidates.Any(candidate => candidate is null or MixedQuantizer))
        {
            throw new ArgumentException("Layers are quantised to at least one form, and none of the forms is a mixture itself.", nameof(candidates));
        }
    }

    public override string ToString() => Notation.Call(nameof(Mixed), _budget, _candidates);

    internal override Network Run(Network network, QuantizationStep step)
    {
        var measure = step.Measure ?? throw new InvalidOperationException($"{this} chooses by what validation rows say, and there are none: quantise in a "
            + "chain, on data that has labels.");
        var search = new MixedSearch(network.FoldBatchNorm(), _candidates, step, measure);
        var path = search.Path(_budget.Limits.Any(limit => limit.Measure == CostMeasure.Milliseconds));
        if (path.Count == 1)
        {
            throw step.Nothing(this);
        }

        // The first that is small enough, or the last before one that loses too much.
        var chosen = _budget.Limits.IsEmpty ? First(path, mixture => !(search.MetricLoss(mixture) <= _budget.MaximumMetricLoss)) - 1
            : First(path, mixture => _budget.Limits.All(limit => search.Cost(limit, mixture) <= search.Most(limit)));
        return Checked(search, path[Math.Clamp(chosen, 0, path.Count - 1)], step);
    }

    /// <summary>The place of the first that something holds for, where it holds for all behind; their number where it holds for none.</summary>
    private static int First(IReadOnlyList<Mixture> path, Func<Mixture, bool> holds)
    {
        var (first, end) = (0, path.Count);
        while (first < end)
        {
            var middle = (first + end) / 2;
            (first, end) = holds(path[middle]) ? (first, middle) : (middle + 1, end);
        }

        return first;
    }

    private Network Checked(MixedSearch search, Mixture chosen, QuantizationStep step)
    {
        foreach (var limit in _budget.Limits)
        {
            if (search.Cost(limit, chosen) is var cost && search.Most(limit) is var allowed && cost > allowed)
            {
                throw new UnreachableBudgetException(_budget, Notation.Call(limit.Name, limit.Most), cost - allowed, [],
                    string.Create(CultureInfo.InvariantCulture, $"the smallest mixture of {string.Join(", ", _candidates)} has {cost:0.###}."));
            }
        }

        if (_budget.MaximumMetricLoss is { } most && search.MetricLoss(chosen) is var loss && !(loss <= most))
        {
            throw new UnreachableBudgetException(_budget, Notation.Call(nameof(Budget.MetricLoss), most), loss - most, [],
                string.Create(CultureInfo.InvariantCulture, $"the mixture that loses least loses {loss:0.####}."));
        }

        foreach (var layer in search.Layers)
        {
            step.Chosen[layer] = chosen.Forms.TryGetValue(layer, out var form) ? form.ToString()! : "floats";
        }

        return search.Quantize(chosen);
    }
}
