using System.Globalization;
using MLNet.Pruning.Structure.Granularities;

namespace MLNet.Pruning;

/// <summary>How much is pruned: a share or a number of pieces, or all pieces whose importance lies below a threshold.</summary>
public sealed class Amount
{
    private readonly double _value;
    private readonly Kind _kind;

    private Amount(Kind kind, double value) => (_kind, _value) = (kind, value);

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

    /// <summary>Whether it names importances rather than a number of pieces.</summary>
    internal bool IsThreshold => _kind is Kind.Below or Kind.BelowMean or Kind.BelowMaximum;

    /// <summary>Whether it names a cost of the network; null where it names pieces.</summary>
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

    /// <summary>A share of the pieces.</summary>
    /// <param name="share">In [0, 1]. The number of pieces is rounded to the nearest, halves to even, as Python and torch.nn.utils.prune do.</param>
    public static Amount Fraction(double share) => share is >= 0 and <= 1 ? new(Kind.Fraction, share)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "A share of the pieces lies in [0, 1].");

    /// <summary>A number of pieces.</summary>
    /// <param name="pieces">Not negative, and at most as many as there are.</param>
    public static Amount Count(long pieces)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pieces);
        return new(Kind.Count, pieces);
    }

    /// <summary>All pieces less important than a threshold.</summary>
    /// <param name="importance">The threshold; with <see cref="Importance.L1"/> and single weights, an absolute value.</param>
    public static Amount Below(double importance) => Threshold(Kind.Below, importance, nameof(importance));

    /// <summary>All pieces less important than a multiple of the mean importance of their layer.</summary>
    /// <param name="factor">The multiple; not negative.</param>
    public static Amount BelowMean(double factor) => Threshold(Kind.BelowMean, factor, nameof(factor));

    /// <summary>All pieces less important than a share of the largest importance in their layer.</summary>
    /// <param name="factor">The share; not negative.</param>
    public static Amount BelowMaximum(double factor) => Threshold(Kind.BelowMaximum, factor, nameof(factor));

    /// <summary>As many pieces as it takes to lose a share of the network's multiply-adds; for pieces that are removed.</summary>
    /// <param name="share">In [0, 1).</param>
    public static Amount MultiplyAdds(double share) => Cost(Kind.MultiplyAdds, share);

    /// <summary>As many pieces as it takes to lose a share of the network's parameters; for pieces that are removed.</summary>
    /// <param name="share">In [0, 1).</param>
    public static Amount Parameters(double share) => Cost(Kind.Parameters, share);

    /// <summary>Whether both say the same, up to rounding.</summary>
    internal bool Says(Amount other) => _kind == other._kind && Math.Abs(_value - other._value) <= 1e-9;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_kind}({_value})");

    /// <summary>Pieces to drop out of <paramref name="pieces"/>; not for thresholds.</summary>
    internal long Resolve(long pieces)
    {
        var drop = _kind == Kind.Fraction ? (long)Math.Round(_value * pieces, MidpointRounding.ToEven) : (long)_value;
        return drop <= pieces ? drop : throw new ArgumentException($"The amount is {drop} pieces, but only {pieces} are there to be pruned.");
    }

    /// <summary>The importance below which pieces go, given what the layer's pieces are worth.</summary>
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
