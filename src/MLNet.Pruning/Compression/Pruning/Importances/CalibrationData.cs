using MLNet.Pruning.Data;
using TorchSharp;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Rows for criteria, and what the network's outputs mean on them.</summary>
/// <param name="Rows">The rows; only those to train on are looked at.</param>
/// <param name="Task">What the outputs mean.</param>
/// <param name="Loss">The loss, which fits the task.</param>
/// <param name="Device">Where to run.</param>
/// <param name="BatchSize">Rows at a time.</param>
/// <param name="Seed">Draws the rows.</param>
/// <param name="CancellationToken">Stops between batches.</param>
internal sealed record CalibrationData(TrainingData Rows, LearningTask Task, Loss Loss, torch.Device Device, int BatchSize, int Seed,
    CancellationToken CancellationToken)
{
    /// <summary>Whether it is known what the network should put out; else there is no loss.</summary>
    public bool HasLabels { get; init; } = true;

    /// <summary>The parameters of a network that can be part of what is pruned; null for all.</summary>
    public Func<PrunedNetwork, IReadOnlySet<string>>? Measured { get; init; }

    /// <summary>Where to tell what is worth knowing before long work begins; null for nobody.</summary>
    public Action<string>? Tell { get; init; }

    /// <summary>How often importance was measured before in the same pruning: criteria that learn of more rows from step to step draw others by it.</summary>
    public int Turn { get; init; }
}
