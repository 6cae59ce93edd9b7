using MLNet.Pruning.Evaluation;
using MLNet.Pruning.Messages;

namespace MLNet.Pruning;

/// <summary>
/// What may be left at most, whatever there was before, and how much of the validation metric may be lost:
/// <c>Budget.MultiplyAdds(1_000_000) + Budget.MetricLoss(0.01)</c>. What goes is said by an <see cref="Amount"/>. Bytes and the loss of metric are
/// limits on any model; multiply-adds, parameters and latency on networks; trees and nodes on ensembles of trees. A step refuses by name what
/// it has none of.
/// </summary>
public sealed class Budget
{
    private Budget(ImmutableArray<BudgetLimit> limits, double? metricLoss = null) => (Limits, MaximumMetricLoss) = (limits, metricLoss);

    /// <summary>The limits on costs, each on a measure of its own.</summary>
    internal ImmutableArray<BudgetLimit> Limits { get; }

    /// <summary>Largest loss of the validation metric; null for no limit.</summary>
    internal double? MaximumMetricLoss { get; }

    /// <summary>The limit on milliseconds; null for none.</summary>
    internal BudgetLimit? Time => Limits.FirstOrDefault(limit => limit.Measure == CostMeasure.Milliseconds);

    /// <summary>
    /// At most so many bytes: of the ONNX file of a network, see <see cref="CostMeasure.Bytes"/>, of the values of an ensemble of trees, see
    /// <see cref="TreeCost.Bytes"/>.
    /// </summary>
    /// <param name="most">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is below 1.</exception>
    public static Budget Bytes(long most) => Count(nameof(Bytes), CostMeasure.Bytes, most);

    /// <summary>At most so many multiply-adds for one row; see <see cref="CostMeasure.MultiplyAdds"/>.</summary>
    /// <param name="most">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is below 1.</exception>
    public static Budget MultiplyAdds(long most) => Count(nameof(MultiplyAdds), CostMeasure.MultiplyAdds, most);

    /// <summary>At most so many parameters; see <see cref="CostMeasure.Parameters"/>.</summary>
    /// <param name="most">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is below 1.</exception>
    public static Budget Parameters(long most) => Count(nameof(Parameters), CostMeasure.Parameters, most);

    /// <summary>
    /// At most so many milliseconds for a batch, measured on this machine, on one thread of what will score it: ONNX Runtime, or sparse kernels where
    /// <c>Compact()</c> would choose them for the zeros that are left. So it goes with structures that are removed and with weights that are set to zero. A
    /// network is timed with everything in it; what else runs on the machine makes it slower.
    /// </summary>
    /// <param name="milliseconds">The median of a batch at most; above 0.</param>
    /// <param name="batch">Rows in the batch; at least 1. One row is what a <c>PredictionEngine</c> scores at a time.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <example>
    /// <code>
    /// // A row in a fifth of a millisecond.
    /// var model = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.AutoPrune(Budget.Latency(0.2))).Fit(data);
    /// Console.WriteLine(model.LastTransformer.Report);
    /// </code>
    /// </example>
    public static Budget Latency(double milliseconds, int batch = 1) => milliseconds > 0 && double.IsFinite(milliseconds)
        ? Timed(nameof(Latency), milliseconds, batch, isShare: false)
        : throw new ArgumentOutOfRangeException(nameof(milliseconds), milliseconds, "A limit in milliseconds is a finite number above 0.");

    /// <summary>
    /// At most a share of the time that a batch took before: in <c>AutoPrune</c> with the network before its first pruning, in other steps with the one that
    /// the step gets. Both are measured on this machine, as <see cref="Latency(double, int)"/> says, so that it is the same on a slower one.
    /// </summary>
    /// <param name="share">Share of the time that is left, in (0, 1); 0.25 for four times as fast.</param>
    /// <param name="batch">Rows in the batch; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <example>
    /// <code>
    /// // Four times as fast, in sparse kernels, which score what Compact() makes of it.
    /// var model = ml.Transforms.LoadNetwork("model.onnx").Append(ml.Transforms.AutoPrune(Budget.LatencyFraction(0.25), Granularity.Weight)).Fit(data);
    /// ml.Model.Save(model.Compact(), data.Schema, "model.zip");
    /// </code>
    /// </example>
    public static Budget LatencyFraction(double share, int batch = 1) => share is > 0 and < 1 ? Timed(nameof(LatencyFraction), share, batch, isShare: true)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "The share of the time that is left lies in (0, 1).");

    /// <summary>At most so many trees.</summary>
    /// <param name="most">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is below 1.</exception>
    public static Budget Trees(int most) => Count(nameof(Trees), CostMeasure.Trees, most);

    /// <summary>At most so many nodes, that is splits, in all trees together.</summary>
    /// <param name="most">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is below 1.</exception>
    public static Budget Nodes(int most) => Count(nameof(Nodes), CostMeasure.Nodes, most);

    /// <summary>At most a share of the nodes that the trees had before their first pruning, however often they are pruned.</summary>
    /// <param name="share">Share left, in (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="share"/> is out of range.</exception>
    public static Budget NodeFraction(double share) => share is > 0 and < 1
        ? new([new(nameof(NodeFraction), CostMeasure.Nodes, share) { IsShare = true }])
        : throw new ArgumentOutOfRangeException(nameof(share), share, "The share of the nodes that is left lies in (0, 1).");

    /// <summary>
    /// At most so large a loss of the validation metric, in its direction, against the model before. It holds on the validation rows: a search
    /// takes the best of many candidates by them, so that no confidence can be told from them, and <see cref="Tolerance.Confident"/> is for
    /// <c>ml.Transforms.Prune</c> alone. For a loss with confidence measure the model that is found on rows of its own.
    /// </summary>
    /// <param name="most">Not negative; 0.01 is one percentage point of accuracy.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is negative or not finite.</exception>
    public static Budget MetricLoss(double most) => most >= 0 && double.IsFinite(most) ? new([], most)
        : throw new ArgumentOutOfRangeException(nameof(most), most, "A loss of metric is a finite number of at least 0.");

    /// <summary>Both.</summary>
    /// <exception cref="ArgumentException">Both limit the same.</exception>
    public static Budget operator +(Budget a, Budget b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        var twice = a.Limits.FirstOrDefault(limit => b.Limits.Any(other => other.Measure == limit.Measure)) is { } cost ? BudgetLimit.Text(cost.Measure)
            : a.MaximumMetricLoss is not null && b.MaximumMetricLoss is not null ? "the loss of metric" : null;
        return twice is null ? new([.. a.Limits, .. b.Limits], a.MaximumMetricLoss ?? b.MaximumMetricLoss)
            : throw new ArgumentException($"The budgets '{a}' and '{b}' both limit {twice}: give one limit.", nameof(b));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(" + ", Limits.Select(limit => limit.Measure == CostMeasure.Milliseconds
            ? Notation.Call(limit.Name, limit.Most, limit.Batch) : Notation.Call(limit.Name, limit.Most))
        .Concat(MaximumMetricLoss is { } loss ? [Notation.Call(nameof(MetricLoss), loss)] : []));

    /// <summary>This, for a step that keeps to limits on certain costs and on the loss of metric.</summary>
    /// <exception cref="ArgumentException">It limits another cost.</exception>
    internal Budget For(string step, ReadOnlySpan<CostMeasure> known, [CallerMemberName] string name = "")
    {
        foreach (var limit in Limits)
        {
            if (!known.Contains(limit.Measure))
            {
                throw new ArgumentException($"{step} cannot keep to a limit on {BudgetLimit.Text(limit.Measure)} ({this}): it knows those on "
                    + $"{string.Join(", ", known.ToArray().Select(BudgetLimit.Text))} and the loss of metric.", name);
            }
        }

        return this;
    }

    private static Budget Timed(string name, double most, int batch, bool isShare)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        return new([new(name, CostMeasure.Milliseconds, most) { Batch = batch, IsShare = isShare }]);
    }

    private static Budget Count(string name, CostMeasure measure, long most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        return new([new(name, measure, most)]);
    }
}
