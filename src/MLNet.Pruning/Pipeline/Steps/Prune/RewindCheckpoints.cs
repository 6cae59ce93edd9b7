using MLNet.Pruning.Training;

namespace MLNet.Pruning.Pipeline.Steps.Prune;

/// <summary>The weights that a chain keeps to go back to, as checkpoints of the network that is pruned.</summary>
internal static class RewindCheckpoints
{
    private const string Initial = "initial";
    private const string Early = "early";

    /// <summary>The network of a chain.</summary>
    public static PrunedNetwork Of(NetworkState state)
    {
        var checkpoints = ImmutableDictionary<string, Network>.Empty.Add(Initial, state.Initial);
        return new(state.Network, state.Masks, state.Early is { } early ? checkpoints.Add(Early, early) : checkpoints);
    }

    /// <summary>The chain with what became of its network.</summary>
    public static NetworkState Put(NetworkState state, PrunedNetwork pruned) => state with
    {
        Network = pruned.Network,
        Masks = pruned.Masks,
        Initial = pruned.Checkpoints[Initial],
        Early = pruned.Checkpoints.GetValueOrDefault(Early),
        Dense = state.Dense ?? state.Network,
    };

    /// <summary>Which of them to go back to; null for none.</summary>
    /// <exception cref="InvalidOperationException">It was not kept.</exception>
    public static string? Name(Rewind rewind, NetworkState state) => rewind switch
    {
        Rewind.None or Rewind.LearningRate => null,
        Rewind.ToInitial => Initial,
        _ => state.Early is not null ? Early
            : throw new InvalidOperationException("Rewinding to early weights needs a trainer that kept them: set NeuralNetworkOptions.RewindEpoch."),
    };
}
