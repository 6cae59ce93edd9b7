using MLNet.Pruning.Evaluation;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>
/// Ranks within a budget. Where costs are limited the network that loses least within them, where only the metric is the smallest that is within the loss.
/// </summary>
internal abstract class BudgetedRank(Budget budget) : Rank
{
    private const string AsItIs = "the budget leaves it as it is";

    internal override Budget Budget { get; } = budget;

    internal override IReadOnlyList<RankChoice> Choose(IReadOnlyList<RankedLayer> layers, RankSearch search)
    {
        var levels = Levels(layers, search);
        var costs = levels.Select(layer => (IReadOnlyList<(double Cost, double Lost)>)[.. Enumerable.Range(0, layer.Count)
            .Select(level => (Cost(layer[level]), layer[level].Lost))]).ToArray();
        var sequence = RankAllocation.Sequence(costs);
        int[] chosen = Budget.Limits.IsEmpty ? Smallest(sequence, levels, search) : Best(sequence, costs, levels, search);
        return [.. levels.Zip(chosen, (layer, level) => layer[level].Ranks is { } ranks ? ranks
            : RankChoice.None(layer.Layer.Given is { } given ? $"at rank {RankedLayer.Text(given)} it would not get smaller" : AsItIs))];
    }

    /// <summary>The ranks to choose from, and what each loses.</summary>
    protected abstract IReadOnlyList<RankLevels> Levels(IReadOnlyList<RankedLayer> layers, RankSearch search);

    /// <summary>What a level costs of all that is limited, each in parts of its limit: multiply-adds stand for time, parameters for bytes.</summary>
    private double Cost(RankLevel level) => Budget.Limits.IsEmpty ? level.Parameters : Budget.Limits
        .GroupBy(limit => limit.Measure is CostMeasure.MultiplyAdds or CostMeasure.Milliseconds)
        .Sum(limits => (limits.Key ? level.MultiplyAdds : level.Parameters)
            / (limits.FirstOrDefault(limit => limit.Measure is CostMeasure.MultiplyAdds or CostMeasure.Parameters)?.Most ?? 1));

    /// <summary>The first of a sequence of falling cost that is within all limits, with what is left of them spent.</summary>
    /// <exception cref="UnreachableBudgetException">None is, or the metric falls too far.</exception>
    private int[] Best(IReadOnlyList<int[]> sequence, IReadOnlyList<IReadOnlyList<(double Cost, double Lost)>> costs, IReadOnlyList<RankLevels> levels,
        RankSearch search)
    {
        BudgetLimit? Missed(int[] at) => Budget.Limits.FirstOrDefault(limit => search.Cost(limit, levels, at) > search.Most(limit));
        if (Missed(sequence[^1]) is { } missed)
        {
            throw Unreachable(missed, sequence[^1], levels, search);
        }

        // The last one is within, the first may be.
        var (outside, within) = (-1, sequence.Count - 1);
        while (within - outside > 1)
        {
            var middle = (outside + within) / 2;
            (outside, within) = Missed(sequence[middle]) is null ? (outside, middle) : (middle, within);
        }

        var isCounted = Budget.Limits.All(limit => limit.Measure is CostMeasure.Parameters or CostMeasure.MultiplyAdds);
        var chosen = isCounted ? RankAllocation.Fill(costs, sequence[within], at => Missed(at) is null) : sequence[within];
        if (Budget.MaximumMetricLoss is { } most && search.MeasureBefore() is var before
            && !(before.LossTo(search.Measure(search.At(levels, chosen))) is var loss && loss <= most))
        {
            throw MetricUnreachable(before, loss, most, chosen, levels, search);
        }

        return chosen;
    }

    /// <summary>The last of a sequence that keeps to the loss of metric, as far as halving finds it.</summary>
    private int[] Smallest(IReadOnlyList<int[]> sequence, IReadOnlyList<RankLevels> levels, RankSearch search)
    {
        var before = search.MeasureBefore();
        bool Keeps(int[] at) => before.LossTo(search.Measure(search.At(levels, at))) <= Budget.MaximumMetricLoss;
        var (keeps, loses) = (-1, sequence.Count);
        while (loses - keeps > 1)
        {
            var middle = (keeps + loses) / 2;
            (keeps, loses) = Keeps(sequence[middle]) ? (middle, loses) : (keeps, middle);
        }

        if (keeps >= 0)
        {
            return sequence[keeps];
        }

        // Ranks that are given lose it by themselves.
        var loss = before.LossTo(search.Measure(search.At(levels, sequence[0])));
        throw MetricUnreachable(before, loss, Budget.MaximumMetricLoss!.Value, sequence[0], levels, search);
    }

    private UnreachableBudgetException Unreachable(BudgetLimit limit, int[] at, IReadOnlyList<RankLevels> levels, RankSearch search)
    {
        var (cost, most) = (search.Cost(limit, levels, at), search.Most(limit));
        var isWork = limit.Measure is CostMeasure.MultiplyAdds or CostMeasure.Milliseconds;
        return new(Budget, limit.ToString(), cost - most, levels.Zip(at, (layer, level) => new BlockingLayer(layer.Layer.Layer.Name,
                isWork ? layer[level].MultiplyAdds : layer[level].Parameters, layer[level].Ranks is { } ranks ? $"at its least rank, {RankedLayer.Text(ranks)}"
                    : "it would not get smaller")),
            FormattableString.Invariant($"with every layer at its least rank the network still has {cost:0.####} {BudgetLimit.Text(limit.Measure)}, ")
                + FormattableString.Invariant($"{cost - most:0.####} too many."));
    }

    private UnreachableBudgetException MetricUnreachable(ValidationResult before, double loss, double most, int[] at, IReadOnlyList<RankLevels> levels,
        RankSearch search)
        => new(Budget, FormattableString.Invariant($"at most {most} loss of metric"), loss - most, levels.Select((layer, l) =>
        {
            var alone = before.LossTo(search.Measure(search.At([layer], [at[l]])));
            return new BlockingLayer(layer.Layer.Layer.Name, alone - most, FormattableString.Invariant($"{alone:0.####} of the metric is lost with this layer ")
                + $"alone at rank {(layer[at[l]].Ranks is { } ranks ? RankedLayer.Text(ranks) : "as it is")}");
        }), FormattableString.Invariant($"the network that loses least within the costs loses {loss:0.####} of the metric."));
}

/// <summary>By the energy that is kept.</summary>
internal sealed class BudgetRank(Budget budget) : BudgetedRank(budget)
{
    private const int Most = 64;

    public override string ToString() => Notation.Call(nameof(Within), Budget);

    protected override IReadOnlyList<RankLevels> Levels(IReadOnlyList<RankedLayer> layers, RankSearch search)
        => [.. layers.Select(layer => RankLevels.Of(layer, Most))];
}

/// <summary>By what each layer alone does to the loss on validation rows.</summary>
internal sealed class SensitivityRank(Budget budget) : BudgetedRank(budget)
{
    private const int Most = 12;

    public override string ToString() => Notation.Call(nameof(BySensitivity), Budget);

    protected override IReadOnlyList<RankLevels> Levels(IReadOnlyList<RankedLayer> layers, RankSearch search)
    {
        var before = search.MeasureBefore();
        return [.. layers.Select(layer =>
        {
            var levels = RankLevels.Of(layer, Most);
            var highest = 0.0;
            // What a lower rank gains is chance.
            double[] lost = [.. Enumerable.Range(0, levels.Count).Select(level => levels[level].Ranks is null ? 0
                : search.Measure(search.At([levels], [level])).Loss is var loss
                ? highest = Math.Max(highest, double.IsFinite(loss) ? loss - before.Loss : double.MaxValue / 1e6) : 0)];
            return levels.Losing(level => lost[level]);
        })];
    }
}
