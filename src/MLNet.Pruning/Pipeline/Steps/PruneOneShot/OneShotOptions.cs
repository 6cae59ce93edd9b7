using MLNet.Pruning.Pipeline.Steps.PruneOneShot;

namespace MLNet.Pruning;

/// <summary>What <c>ml.Transforms.PruneOneShot</c> takes away, and how hard it tries.</summary>
public sealed record OneShotOptions
{
    private readonly Amount? _amount;

    /// <summary>How much is gone in the end: a share of the weights or structures, or, of structures, of the parameters or multiply-adds.</summary>
    /// <value>Default half; with <see cref="Granularity.NToM"/> what the pattern leaves out, and nothing else.</value>
    public Amount Amount { get => _amount ?? Granularity.FixedAmount ?? Amount.Fraction(0.5); init => _amount = Setting.Present(value); }

    /// <summary>What is pruned as one.</summary>
    /// <value>Default <see cref="Granularity.Weight"/>.</value>
    public Granularity Granularity { get; init => field = Setting.Present(value); } = Granularity.Weight;

    /// <summary>Which weights or structures, and compared among what.</summary>
    /// <value>Default <see cref="Scope.Network"/>.</value>
    public Scope Scope { get; init => field = Setting.Present(value); } = Scope.Network;

    /// <summary>Widths that removal leaves are rounded to the nearest multiple of this, at least one; 1 keeps them exact. At least 1.</summary>
    /// <value>Default null: as of <see cref="SelectionOptions.Alignment"/>.</value>
    public int? Alignment { get; init => field = Setting.AtLeast(1, value); }

    /// <summary>How much is tried.</summary>
    /// <value>Default <see cref="OneShotEffort.Fast"/>.</value>
    public OneShotEffort Effort { get; init => field = Setting.Defined(value); }

    /// <summary>Calibration rows, taken from the training rows; all where there are fewer. At least 1.</summary>
    /// <value>Default 2,000.</value>
    public int Rows { get; init => field = Setting.AtLeast(1, value); } = 2000;

    /// <summary>What candidates are compared by on the validation rows.</summary>
    /// <value>Default null: that of the network's training, or the task's own.</value>
    public Metric? Metric { get; init; }

    /// <summary>Draws calibration rows.</summary>
    /// <value>Default null: by the context's.</value>
    public int? Seed { get; init; }

    /// <summary>Called with each candidate once it is measured, and with the time that is left, on the thread that prunes.</summary>
    /// <value>Default null. The same lines go to <c>MLContext.Log</c>.</value>
    public IProgress<OneShotProgress>? Progress { get; init; }

    /// <summary>Stops between two steps of the work, with an <see cref="OperationCanceledException"/>.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What is tried, the plainest first.</summary>
    internal IEnumerable<OneShotWay> Ways()
    {
        var (recalibrate, fit, isThorough) = (Recovery.Recalibrate(), Recovery.Reconstruct(Rows, damping: null), Effort == OneShotEffort.Thorough);
        // The ridge is best small where the rows are many, and some thousand are few for what is left of a layer.
        var further = fit.Then(Recovery.Newton(Rows, ridge: 0.001));
        yield return new(Of(Importance.L1), Granularity.Removes && !isThorough ? [recalibrate, fit] : [recalibrate, fit, further], Cost: 4);
        if (Granularity.Removes)
        {
            yield return new(Of(Importance.Wanda(Rows)), [fit], Cost: 1);
            yield return new(Of(Importance.Taylor(Rows)), [fit], Cost: 1);
            yield return new(Of(Importance.Osscar(Rows)), isThorough ? [fit, further] : [fit], Cost: 2);
            if (isThorough)
            {
                yield return new(Of(Importance.L2), [fit], Cost: 1);
                yield return new(Of(Importance.ActivationVariance(Rows)), [fit], Cost: 1);
                yield return new(Of(Importance.OptimalBrainSurgeon(Rows)), [fit], Cost: 1);
                yield return new(Of(Importance.Osscar(Rows, start: Importance.L1)), [fit], Cost: 2);
                yield return new(Of(Importance.Osscar(Rows, start: Importance.Taylor(Rows))), [fit], Cost: 2);
            }

            yield break;
        }

        yield return new(Of(Importance.OptimalBrainSurgeon(Rows)), [], Cost: 1);
        if (isThorough)
        {
            yield return new(Of(Importance.OptimalBrainSurgeon(Rows, order: SurgeonOrder.Columns)), [], Cost: 1);
            yield return new(Of(Importance.OptimalBrainSurgeon(Rows, order: SurgeonOrder.Greedy)), [fit, further], Cost: 6);
        }

        foreach (var ridge in isThorough ? [5, 2, 15] : (double[])[5])
        {
            yield return new(Of(Importance.CombinatorialBrainSurgeon(Rows, ridge)), [recalibrate, fit, further], Cost: 10);
        }

        foreach (var ridge in isThorough ? [5, 2] : Array.Empty<double>())
        {
            yield return new(Of(Importance.CombinatorialBrainSurgeon(Rows, ridge)) with { Schedule = Schedule.Cubic(12).Hold(18) }, [recalibrate], Cost: 50);
        }
    }

    private PruningOptions Of(Importance importance)
    {
        var options = new PruningOptions
        {
            Granularity = Granularity, Scope = Scope, Alignment = Alignment, Importance = importance, Recovery = Recovery.None, Metric = Metric,
            FineTuneEpochs = 0, CancellationToken = CancellationToken,
        };
        return _amount is null ? options : options with { Amount = _amount };
    }
}
