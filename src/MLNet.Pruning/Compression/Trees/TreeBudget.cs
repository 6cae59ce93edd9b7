namespace MLNet.Pruning;

/// <summary>
/// What an ensemble of trees may keep, as a <see cref="Budget"/> says what a network may: a size, or what its metric allows. Of the ensembles tried
/// within a size, the one with the best metric on the validation rows is taken, so that a larger size never does worse on them.
/// </summary>
public sealed class TreeBudget
{
    private readonly Kind _kind;
    private readonly double _value;

    private TreeBudget(Kind kind, double value) => (_kind, _value) = (kind, value);

    private enum Kind
    {
        Trees,
        Nodes,
        NodeFraction,
        Bytes,
        MetricLoss,
    }

    /// <summary>The largest loss of the metric; null where the budget is a size.</summary>
    internal double? Loss => _kind == Kind.MetricLoss ? _value : null;

    /// <summary>At most so many trees.</summary>
    /// <param name="count">At least 1.</param>
    public static TreeBudget Trees(int count) => Size(Kind.Trees, count);

    /// <summary>At most so many nodes, that is splits, in all trees together.</summary>
    /// <param name="count">At least 1.</param>
    public static TreeBudget Nodes(int count) => Size(Kind.Nodes, count);

    /// <summary>At most a share of the nodes that the ensemble had before its first pruning, however often it is pruned.</summary>
    /// <param name="share">Share left, in (0, 1).</param>
    public static TreeBudget NodeFraction(double share) => share is > 0 and < 1 ? new(Kind.NodeFraction, share)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "The share of the nodes that is left lies in (0, 1).");

    /// <summary>At most so many bytes, counted as in <see cref="TreeCost.Bytes"/>.</summary>
    /// <param name="count">At least 1.</param>
    public static TreeBudget Bytes(long count) => Size(Kind.Bytes, count);

    /// <summary>As far as the loss of metric on the validation rows, in its direction, is at most so much.</summary>
    /// <param name="loss">Not negative, and finite.</param>
    public static TreeBudget MetricLoss(double loss) => loss >= 0 && double.IsFinite(loss) ? new(Kind.MetricLoss, loss)
        : throw new ArgumentOutOfRangeException(nameof(loss), loss, "The loss of the metric is a finite number of at least 0.");

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_kind}({_value})");

    /// <summary>Whether a size lies within the budget.</summary>
    /// <param name="cost">The size.</param>
    /// <param name="dense">Nodes before the first pruning.</param>
    internal bool Allows(TreeCost cost, int dense) => _kind switch
    {
        Kind.Trees => cost.Trees <= _value,
        Kind.Nodes => cost.Nodes <= _value,
        Kind.NodeFraction => cost.Nodes <= _value * dense,
        Kind.Bytes => cost.Bytes <= _value,
        _ => true,
    };

    private static TreeBudget Size(Kind kind, long count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new(kind, count);
    }
}
