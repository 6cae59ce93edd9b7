using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning;

/// <summary>
/// How much goes: a share or a number of weights or structures, a share of the network's cost, or all weights or structures whose importance lies below a
/// threshold. Shares and numbers are of what the dense network has, the one before its first pruning, and count what went before: half of the weights,
/// requested twice, is half. <see cref="OfRemaining"/> makes them of what is left: half of it, requested twice, leaves a quarter. What stays is said by a
/// <see cref="MLNet.Pruning.Budget"/>.
/// </summary>
public sealed class Amount
{
    private readonly double _value;
    private readonly Kind _kind;

    private Amount(Kind kind, double value, bool isOfRemaining = false) => (_kind, _value, IsOfRemaining) = (kind, value, isOfRemaining);

    private enum Kind
    {
        Fraction,
        Count,
        Below,
        BelowMean,
        BelowMaximum,
        MultiplyAdds,
        Parameters,
    }

    /// <summary>Whether it names importances rather than a number of weights or structures.</summary>
    internal bool IsThreshold => _kind is Kind.Below or Kind.BelowMean or Kind.BelowMaximum;

    /// <summary>Whether it names a cost of the network; null where it names weights or structures.</summary>
    internal NetworkBudget? Budget => _kind switch
    {
        Kind.MultiplyAdds => NetworkBudget.MultiplyAdds,
        Kind.Parameters => NetworkBudget.Parameters,
        _ => null,
    };

    /// <summary>The number given.</summary>
    internal double Value => _value;

    /// <summary>Whether the threshold is relative to the layer's own importances.</summary>
    internal bool IsRelative => _kind is Kind.BelowMean or Kind.BelowMaximum;

    /// <summary>Whether it is one of what is left rather than of what the dense network has.</summary>
    internal bool IsOfRemaining { get; }

    /// <summary>A share of the weights or structures of the dense network that is gone in the end.</summary>
    /// <param name="share">
    /// In [0, 1]. The number of weights or structures is rounded to the nearest, halves to even, as Python and torch.nn.utils.prune do.
    /// </param>
    public static Amount Fraction(double share) => share is >= 0 and <= 1 ? new(Kind.Fraction, share)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "A share of the weights or structures lies in [0, 1].");

    /// <summary>A number of weights or structures of the dense network that is gone in the end.</summary>
    /// <param name="count">Not negative, and at most as many as there are.</param>
    public static Amount Count(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return new(Kind.Count, count);
    }

    /// <summary>All weights or structures less important than a threshold.</summary>
    /// <param name="importance">The threshold; with <see cref="Importance.L1"/> and single weights, an absolute value.</param>
    public static Amount Below(double importance) => Threshold(Kind.Below, importance, nameof(importance));

    /// <summary>All weights or structures less important than a multiple of the mean importance of their layer.</summary>
    /// <param name="factor">The multiple; not negative.</param>
    public static Amount BelowMean(double factor) => Threshold(Kind.BelowMean, factor, nameof(factor));

    /// <summary>All weights or structures less important than a share of the largest importance in their layer.</summary>
    /// <param name="factor">The share; not negative.</param>
    public static Amount BelowMaximum(double factor) => Threshold(Kind.BelowMaximum, factor, nameof(factor));

    /// <summary>As many weights or structures as it takes to lose a share of the dense network's multiply-adds; for structures that are removed.</summary>
    /// <param name="share">In [0, 1).</param>
    public static Amount MultiplyAdds(double share) => Cost(Kind.MultiplyAdds, share);

    /// <summary>As many weights or structures as it takes to lose a share of the dense network's parameters; for structures that are removed.</summary>
    /// <param name="share">In [0, 1).</param>
    public static Amount Parameters(double share) => Cost(Kind.Parameters, share);

    /// <summary>
    /// The same of what is left when the pruning starts rather than of what the dense network has, as amounts of <c>torch.nn.utils.prune</c> are.
    /// </summary>
    /// <returns>Such an amount; the same where it is one already.</returns>
    /// <exception cref="InvalidOperationException">It is a threshold, which only what is left is compared with anyhow.</exception>
    /// <example><c>Amount.Fraction(0.2).OfRemaining()</c>, applied three times, leaves 0.512 of the weights.</example>
    public Amount OfRemaining() => !IsThreshold ? new(_kind, _value, isOfRemaining: true)
        : throw new InvalidOperationException($"The threshold {this} is compared with what is left, and no share or number of anything.");

    /// <summary>Whether both are the same amount, up to rounding.</summary>
    internal bool IsSameAs(Amount other) => _kind == other._kind && IsOfRemaining == other.IsOfRemaining && Math.Abs(_value - other._value) <= 1e-9;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_kind}({_value}){(IsOfRemaining ? $".{nameof(OfRemaining)}()" : "")}");

    /// <summary>Weights or structures that are gone in the end, those that went before included; not for thresholds.</summary>
    /// <param name="total">Weights or structures of the dense network.</param>
    /// <param name="gone">Those that went before.</param>
    /// <exception cref="ArgumentException">It is more than there are.</exception>
    internal long Target(long total, long gone)
    {
        var (of, before) = IsOfRemaining ? (total - gone, gone) : (total, 0);
        var drop = _kind == Kind.Fraction ? Rounded(_value, of) : (long)_value;
        return drop <= of ? before + drop : throw new ArgumentException($"The amount is {drop} weights or structures, but only {of} are there to be pruned.");
    }

    /// <summary>A share of a number, rounded to the nearest, halves to even.</summary>
    internal static long Rounded(double share, long of) => (long)Math.Round(share * of, MidpointRounding.ToEven);

    /// <summary>The importance below which weights or structures go, given the layer's importance scores.</summary>
    internal double Threshold(double mean, double maximum) => _kind switch
    {
        Kind.BelowMean => _value * mean,
        Kind.BelowMaximum => _value * maximum,
        _ => _value,
    };

    private static Amount Cost(Kind kind, double share) => share is >= 0 and < 1 ? new(kind, share)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "A share of the network's cost lies in [0, 1).");

    private static Amount Threshold(Kind kind, double value, string name) => value is >= 0 and < double.PositiveInfinity ? new(kind, value)
        : throw new ArgumentOutOfRangeException(name, value, "A threshold is a finite number of at least 0.");
}
