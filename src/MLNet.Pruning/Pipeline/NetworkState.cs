using System.Collections.Immutable;

namespace MLNet.Pruning;

/// <summary>What flows down a chain in the annotation of the Score column: the network and all that a later step needs to go on with it.</summary>
internal sealed record NetworkState
{
    public required Network Network { get; init; }

    /// <summary>Weights held at zero by every later training; they are zero in the network.</summary>
    public ImmutableDictionary<string, WeightMask> Masks { get; init; } = ImmutableDictionary<string, WeightMask>.Empty;

    public required LearningTask Task { get; init; }

    /// <summary>The columns that the network reads.</summary>
    public required NetworkInputs Inputs { get; init; }

    public required string Label { get; init; }

    /// <summary>The key values of the label; null where it has none.</summary>
    public required LabelKeys? Keys { get; init; }

    /// <summary>The weights before training.</summary>
    public required Network Initial { get; init; }

    /// <summary>The weights after the trainer's RewindEpoch; null where none was asked for.</summary>
    public required Network? Early { get; init; }

    /// <summary>The network as it was before it was first pruned, from which later steps distil; null where it was never pruned.</summary>
    public Network? Dense { get; init; }

    /// <summary>How the network was trained, and by default is fine-tuned.</summary>
    public required NeuralNetworkTrainer.Options Training { get; init; }

    /// <summary>Seed of the split into rows to train on and rows to measure on, the same for every step of the chain.</summary>
    public required int SplitSeed { get; init; }
}
