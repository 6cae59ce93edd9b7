using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Pipeline.Steps.Prune;

/// <summary>Walks a schedule: prune, optionally rewind, fine-tune, measure, and go on or step back.</summary>
internal sealed class PruningLoop
{
    private readonly PruningOptions _options;
    private readonly Func<Network, ValidationResult?> _measure;
    private readonly Func<PrunedNetwork, int, TrainingResult> _fineTune;
    private readonly Action<PruningStep> _report;
    private readonly CalibrationData? _calibration;
    private readonly Validation? _validation;

    /// <param name="options">Validated options.</param>
    /// <param name="measure">Measures a network on the validation rows.</param>
    /// <param name="fineTune">Trains a masked network for so many epochs.</param>
    /// <param name="report">Called with every step.</param>
    /// <param name="calibration">Rows for criteria that need some; null where there are none.</param>
    /// <param name="validation">The validation rows, for a tolerance with confidence; null where there is none.</param>
    public PruningLoop(PruningOptions options, Func<Network, ValidationResult?> measure, Func<PrunedNetwork, int, TrainingResult> fineTune,
        Action<PruningStep> report,
        CalibrationData? calibration = null, Validation? validation = null)
    {
        (_options, _measure, _fineTune, _report, _calibration, _validation) = (options, measure, fineTune, report, calibration, validation);
    }

    /// <summary>Prunes.</summary>
    /// <param name="start">The network and what was dropped before.</param>
    /// <param name="rewound">Which checkpoint of the network to go back to before each fine-tuning; null to go on from where it is.</param>
    /// <exception cref="PruningTargetException">More than the target is dropped already.</exception>
    /// <exception cref="InvalidOperationException">A tolerance is set and there are no validation rows to measure on.</exception>
    public (PrunedNetwork Network, PruningReport Report) Run(PrunedNetwork start, string? rewound)
    {
        var (criterion, turn) = (_options.Criterion, 0);
        ImportanceScores Measure(PrunedNetwork network)
            => criterion.Measure(new(network, _calibration is null ? null : _calibration with { Turn = turn++ }, _options.CancellationToken));
        var plan = PruningPlan.Create(_options, start, Measure(start), Measure);
        var epochs = _options.FineTuneEpochs ?? (plan.Steps > 1 ? 2 : 0);
        if (rewound is not null && epochs == 0)
        {
            throw new ArgumentException("Rewinding without fine-tuning would leave untrained weights: set FineTuneEpochs.", nameof(PruningOptions.Rewind));
        }

        var before = _measure(start.Network);
        var tolerance = new ToleranceCheck(_options.Tolerance, start.Network, before, _validation);
        // Training measures what is left by itself.
        var recovery = _options.Recovery ?? (epochs == 0 && _calibration is not null ? Recovery.Recalibrate() : Recovery.None);
        var warnings = new List<string>();
        var (network, report) = plan.Run(before, (good, pruned) =>
        {
            if (recovery != Recovery.None && pruned != good)
            {
                try
                {
                    pruned = recovery.Recover(new(good, pruned, _options.Granularity.Structure, _calibration, warnings.Add));
                }
                catch (NotSupportedException e) when (_options.Recovery is null)
                {
                    // Nobody asked for it.
                    warnings.Add($"Nothing made up for what went, since calibration rows cannot be run: {e.Message}");
                }

                FiniteWeights.Check(pruned.Network, $"{recovery} failed", "Normalise the features, or raise the damping.");
            }

            var (next, fineTuned) = (pruned, default(ValidationResult));
            var measured = _measure(pruned.Network);
            if (epochs > 0)
            {
                var result = _fineTune(rewound is null ? pruned : pruned.WithWeights(pruned.Checkpoints[rewound]), epochs);
                (next, fineTuned) = (pruned.WithWeights(result.Network), result.Validation);
            }

            var (holds, bound) = tolerance.Of(next.Network, fineTuned ?? measured);
            return new(next, measured, fineTuned, holds, bound);
        }, _report);
        return (network, report with
        {
            Recovery = recovery == Recovery.None ? null : recovery.ToString(), Warnings = [.. report.Warnings, .. warnings.Distinct()],
        });
    }
}
