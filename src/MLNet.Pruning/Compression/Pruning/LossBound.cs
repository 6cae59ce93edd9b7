namespace MLNet.Pruning;

/// <summary>A loss of metric and the most that it is with a confidence.</summary>
public sealed record LossBound
{
    [JsonConstructor]
    internal LossBound(double loss, double most, double confidence) => (Loss, Most, Confidence) = (loss, most, confidence);

    /// <summary>The loss on the validation rows, in the metric's direction; negative for a gain.</summary>
    public double Loss { get; }

    /// <summary>The upper bound on the true loss; infinite where the rows are too few to tell one.</summary>
    public double Most { get; }

    /// <summary>Of the bound, in [0.5, 1).</summary>
    public double Confidence { get; }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"loss {Loss:0.0000}, at most {Most:0.0000} with {100 * Confidence:0.##} % confidence");
}
