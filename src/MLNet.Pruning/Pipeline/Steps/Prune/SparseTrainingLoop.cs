using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Training;

namespace MLNet.Pruning.Pipeline.Steps.Prune;

/// <summary>Prunes within one training.</summary>
/// <param name="training">How masks move.</param>
/// <param name="options">Validated options.</param>
/// <param name="data">Rows for criteria.</param>
/// <param name="measure">Measures a network on the validation rows.</param>
/// <param name="train">Trains a network with masks that move.</param>
/// <param name="report">Called with the result.</param>
/// <param name="validation">The validation rows, for a tolerance with confidence.</param>
internal sealed class SparseTrainingLoop(SparseTraining training, PruningOptions options, CalibrationData data, Func<Network, ValidationResult?> measure,
    Func<PrunedNetwork, SparseTrainingRun, TrainingResult> train, Action<PruningStep> report, Validation? validation)
{
    /// <param name="start">The network and what was dropped before.</param>
    /// <param name="rewound">Which checkpoint of the network to start from; null for the network itself.</param>
    /// <exception cref="PruningTargetException">More than the target is dropped already.</exception>
    /// <exception cref="InvalidOperationException">A tolerance is set and there are no validation rows to measure on.</exception>
    public (PrunedNetwork Network, PruningReport Report) Run(PrunedNetwork start, string? rewound)
    {
        var before = measure(start.Network);
        var tolerance = new ToleranceCheck(options.Tolerance, start.Network, before, validation);
        var from = rewound is null ? start : start.WithWeights(start.Checkpoints[rewound]);
        using var moving = training.Bind(options, from, data);
        var result = train(from, moving);
        var pruned = moving.Finish(result.Network, start);
        var (holds, bound) = tolerance.Of(pruned.Network, result.Validation);
        var (sparsity, left) = moving.Describe(pruned);
        var step = new PruningStep(1, 1, sparsity, left, null, result.Validation, kept: holds) { Bound = bound };
        report(step);
        var good = holds ? pruned : start;
        return (good, PruningWarnings.AddTo(moving.Complete(new PruningReport(before, [step]), pruned), options, start, good));
    }
}
