using MLNet.Pruning.Compression.Automation.Search;

namespace MLNet.Pruning;

/// <summary>
/// What a network may cost at most, whatever it cost before, and how much of its validation metric it may lose:
/// <c>Budget.MultiplyAdds(1_000_000) &amp; Budget.MetricLoss(0.01)</c>. What goes is said by an <see cref="Amount"/>.
/// </summary>
public sealed class Budget
{
    private Budget(ImmutableArray<BudgetLimit> limits, double? metricLoss, int batch) => (Limits, MaximumMetricLoss, Batch) = (limits, metricLoss, batch);

    /// <summary>The limits on costs, each on a measure of its own.</summary>
    internal ImmutableArray<BudgetLimit> Limits { get; }

    /// <summary>Largest loss of the validation metric; null for no limit.</summary>
    internal double? MaximumMetricLoss { get; }

    /// <summary>Rows of the batch that milliseconds are measured on.</summary>
    internal int Batch { get; }

    /// <summary>At most so many bytes of the ONNX file; see <see cref="CostMeasure.Bytes"/>.</summary>
    /// <param name="most">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is below 1.</exception>
    public static Budget Bytes(long most) => Of(CostMeasure.Bytes, most);

    /// <summary>At most so many multiply-adds for one row; see <see cref="CostMeasure.MultiplyAdds"/>.</summary>
    /// <param name="most">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is below 1.</exception>
    public static Budget MultiplyAdds(long most) => Of(CostMeasure.MultiplyAdds, most);

    /// <summary>At most so many parameters; see <see cref="CostMeasure.Parameters"/>.</summary>
    /// <param name="most">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is below 1.</exception>
    public static Budget Parameters(long most) => Of(CostMeasure.Parameters, most);

    /// <summary>
    /// At most so many milliseconds for a batch, measured on this machine (<see cref="CostMeasure.Milliseconds"/>). For structures that are removed:
    /// zeros in dense weights take as long as other values.
    /// </summary>
    /// <param name="most">Above 0.</param>
    /// <param name="batch">Rows in the batch; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Budget Milliseconds(double most, int batch = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        return most > 0 && double.IsFinite(most) ? new([new(CostMeasure.Milliseconds, most)], null, batch)
            : throw new ArgumentOutOfRangeException(nameof(most), most, "A limit in milliseconds is a finite number above 0.");
    }

    /// <summary>
    /// At most so large a loss of the validation metric, in its direction, against the network before. It holds on the validation rows: a search
    /// takes the best of many candidates by them, so that no confidence can be told from them, and <see cref="Tolerance.Confident"/> is for
    /// <c>ml.Transforms.Prune</c> alone. For a loss with confidence measure the network that is found on rows of its own.
    /// </summary>
    /// <param name="most">Not negative; 0.01 is one percentage point of accuracy.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is negative or not finite.</exception>
    public static Budget MetricLoss(double most) => most >= 0 && double.IsFinite(most) ? new([], most, 1)
        : throw new ArgumentOutOfRangeException(nameof(most), most, "A loss of metric is a finite number of at least 0.");

    /// <summary>Both.</summary>
    /// <exception cref="ArgumentException">Both limit the same.</exception>
    public static Budget operator &(Budget left, Budget right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return left.And(right);
    }

    /// <summary>Both.</summary>
    /// <param name="other">A limit on something else.</param>
    /// <exception cref="ArgumentException">Both limit the same.</exception>
    public Budget And(Budget other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Limits.FirstOrDefault(limit => other.Limits.Any(others => others.Measure == limit.Measure)) is { } twice)
        {
            throw new ArgumentException($"The budgets '{this}' and '{other}' both limit {twice.Measure}: give one limit.", nameof(other));
        }

        if (MaximumMetricLoss is not null && other.MaximumMetricLoss is not null)
        {
            throw new ArgumentException($"The budgets '{this}' and '{other}' both limit the loss of metric: give one limit.", nameof(other));
        }

        var timed = Limits.Any(limit => limit.Measure == CostMeasure.Milliseconds);
        return new([.. Limits, .. other.Limits], MaximumMetricLoss ?? other.MaximumMetricLoss, timed ? Batch : other.Batch);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(" & ", Limits.Select(limit => limit.Measure == CostMeasure.Milliseconds
            ? Notation.Call(nameof(Milliseconds), limit.Most, Batch) : Notation.Call(limit.Measure.ToString(), limit.Most))
        .Concat(MaximumMetricLoss is { } loss ? [Notation.Call(nameof(MetricLoss), loss)] : []));

    private static Budget Of(CostMeasure measure, long most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        return new([new(measure, most)], null, 1);
    }
}
