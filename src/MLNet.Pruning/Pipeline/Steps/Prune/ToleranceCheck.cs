using MLNet.Pruning.Evaluation.Metrics.Confidence;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Pipeline.Steps.Prune;

/// <summary>Says whether a network keeps to a tolerance, against the network before pruning.</summary>
internal sealed class ToleranceCheck
{
    /// <summary>Losses that are differences of fractions are compared to rounding.</summary>
    private const double Rounding = 1e-9;

    private readonly Tolerance? _tolerance;
    private readonly ValidationResult? _before;
    private readonly Validation? _validation;
    private readonly Predictions? _predictions;

    /// <param name="tolerance">Null for none.</param>
    /// <param name="start">The network before pruning.</param>
    /// <param name="before">Its measurement; null without validation rows.</param>
    /// <param name="validation">The validation rows, for a tolerance with confidence.</param>
    /// <exception cref="InvalidOperationException">There is a tolerance, but nothing was measured.</exception>
    /// <exception cref="ArgumentException">A tolerance with confidence has a metric that is not one of predictions.</exception>
    /// <exception cref="MetricException">The validation rows do not define the metric.</exception>
    public ToleranceCheck(Tolerance? tolerance, Network start, ValidationResult? before, Validation? validation)
    {
        (_tolerance, _before, _validation) = (tolerance, before, validation);
        if (tolerance is not null && before is null)
        {
            throw new InvalidOperationException("A tolerance needs validation rows to measure on: train with a ValidationFraction above 0.");
        }

        if (tolerance is not null && double.IsNaN(before!.Metric))
        {
            throw new MetricException(before.Name, "a tolerance");
        }

        if (tolerance?.Confidence is not null)
        {
            validation!.Metric.CheckOfPredictions("rows drawn anew can tell the confidence of");
        }

        _predictions = tolerance?.Confidence is null ? null : validation!.Run(start)!.Value.Predictions;
    }

    /// <summary>Whether a network is within; one whose metric is not a number is not.</summary>
    /// <param name="network">A network that was pruned.</param>
    /// <param name="measured">Its measurement.</param>
    public (bool Holds, LossBound? Bound) Of(Network network, ValidationResult? measured)
    {
        if (_tolerance is not { } tolerance)
        {
            return (true, null);
        }

        var loss = _before!.LossTo(measured!);
        if (tolerance.Confidence is not { } confidence || double.IsNaN(loss))
        {
            return (loss <= tolerance.Most + Rounding, null);
        }

        var most = PairedLoss.Upper(_validation!.Metric, _predictions!, _validation.Run(network)!.Value.Predictions, 1 - confidence);
        return (most <= tolerance.Most + Rounding, new(loss, most, confidence));
    }
}
