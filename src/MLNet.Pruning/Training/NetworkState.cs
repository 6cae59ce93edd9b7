using MLNet.Pruning.Data;

namespace MLNet.Pruning.Training;

/// <summary>What flows down a chain in the annotation of the Score column: the network and all that a later step needs to go on with it.</summary>
internal sealed record NetworkState : ScoredNetwork
{
    /// <summary>Weights held at zero by every later training; they are zero in the network.</summary>
    public ImmutableDictionary<string, WeightMask> Masks { get; init; } = ImmutableDictionary<string, WeightMask>.Empty;

    public required string Label { get; init; }

    /// <summary>The weights before training.</summary>
    public required Network Initial { get; init; }

    /// <summary>The weights after the trainer's RewindEpoch; null where none was requested.</summary>
    public required Network? Early { get; init; }

    /// <summary>The network as it was before it was first pruned, from which later steps distil; null where it was never pruned.</summary>
    public Network? Dense { get; init; }

    /// <summary>The steps between integers that its last training learned, of the quantiser that learned them; null where it did not round.</summary>
    public object? Steps { get; init; }

    /// <summary>How the network was trained, and by default is fine-tuned.</summary>
    public required NeuralNetworkOptions Training { get; init; }

    /// <summary>Seed of the split into rows to train on and rows to measure on, the same for every step of the chain.</summary>
    public required int SplitSeed { get; init; }

    /// <summary>The network in the annotation of the Score column; null where there is none.</summary>
    public static NetworkState? Find(DataViewSchema schema) => (NetworkState?)NetworkAnnotation.Find(schema);

    /// <summary>The network in the annotation of the Score column.</summary>
    /// <exception cref="InvalidOperationException">There is none; the message says which step has to come before.</exception>
    public static NetworkState Require(DataViewSchema schema, string step)
        => Find(schema) ?? throw NetworkAnnotation.Missing(step, schema.GetColumnOrNull(ScoreColumns.Score) is not null);
}
