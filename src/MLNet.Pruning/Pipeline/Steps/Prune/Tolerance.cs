namespace MLNet.Pruning;

/// <summary>
/// How much of the validation metric a pruning may lose: a number, as in <c>Tolerance = 0.01</c>, or one that holds <see cref="Confident">with a
/// confidence</see>.
/// </summary>
public sealed class Tolerance
{
    private Tolerance(double most, double? confidence) => (Most, Confidence) = (most, confidence);

    /// <summary>Largest loss of the metric, in its direction.</summary>
    public double Most { get; }

    /// <summary>
    /// How sure it is to hold for the rows that the validation rows were drawn from, in [0.5, 1); null where it is measured on the validation rows
    /// alone.
    /// </summary>
    public double? Confidence { get; }

    /// <summary>The loss that is measured on the validation rows is at most so much.</summary>
    /// <param name="most">Not negative; 0.01 is one percentage point of accuracy.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="most"/> is negative or not finite.</exception>
    public static Tolerance Of(double most) => new(Setting.NotNegative(most, nameof(most)), null);

    /// <summary>
    /// The true loss, on all rows of which the validation rows are a sample, is at most so much with a confidence: a step is kept as long as an upper
    /// confidence bound on the loss, from what both networks say of the same validation rows, is within it. The bound is exact for metrics that are
    /// shares of rows (accuracy, top-k), at any number of rows. Of means (log-loss, MAE) it is Student's with a correction of skewness, of all others
    /// a paired bootstrap of 1,000 draws, both for large samples and so taken at half the error.
    /// <para>
    /// As the pruning ends at the first step that fails, the network handed on loses more in at most a share 1 - confidence of prunings, however many
    /// steps there are: to be handed on, one must first have passed the step that was too much (a fixed sequence of tests; Maurer, Hothorn and
    /// Lehmacher 1995). That holds as long as the steps themselves do not look at the validation rows, so that early stopping of the fine-tuning is
    /// refused with it.
    /// </para>
    /// </summary>
    /// <param name="most">Not negative; 0.01 is one percentage point of accuracy.</param>
    /// <param name="confidence">In [0.5, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Tolerance Confident(double most, double confidence = 0.95) => confidence is >= 0.5 and < 1
        ? new(Setting.NotNegative(most, nameof(most)), confidence)
        : throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "A confidence lies in [0.5, 1).");

    /// <inheritdoc cref="Of"/>
    public static implicit operator Tolerance(double most) => Of(most);

    /// <inheritdoc/>
    public override string ToString() => Confidence is { } confidence ? Notation.Call(nameof(Confident), Most, confidence) : Notation.Call(nameof(Of), Most);
}
