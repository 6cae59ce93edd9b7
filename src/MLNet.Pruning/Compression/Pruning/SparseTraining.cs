using MLNet.Pruning.Compression.Pruning;
using MLNet.Pruning.Compression.Pruning.Importances;

namespace MLNet.Pruning;

/// <summary>
/// Pruning while a network trains rather than between trainings: masks move every so many steps of one training, whose length is
/// <see cref="PruningOptions.FineTuneEpochs"/>. What is pruned, by what criterion and how fast the sparsity rises, the other options say; their
/// schedule is spread over the part of the training in which masks move, and in the rest the network trains with its final masks.
/// </summary>
public abstract partial class SparseTraining
{
    private protected SparseTraining(int every, double until)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        (Every, Until) = (every, until is > 0 and <= 1 ? until
            : throw new ArgumentOutOfRangeException(nameof(until), until, "The part of a training in which masks move lies in (0, 1]."));
    }

    /// <summary>Steps of training between two changes of the masks.</summary>
    public int Every { get; }

    /// <summary>Share of the training in which masks move.</summary>
    public double Until { get; }

    /// <summary>Name of the option that asks for it.</summary>
    private protected const string Option = "Training";

    /// <summary>Refuses options that it cannot work with.</summary>
    internal virtual void Check(SelectionOptions options)
    {
        if (options.Granularity.Removes)
        {
            throw new ArgumentException($"{nameof(SparseTraining)}.{this} moves masks, but structures of granularity '{options.Granularity}' are removed: "
                + $"prune between trainings, or with {nameof(SparseTraining)}.{nameof(Soft)}.", Option);
        }
    }

    /// <summary>What it does in a training.</summary>
    internal abstract SparseTrainingRun Bind(SelectionOptions options, PrunedNetwork start, CalibrationData data);

    private protected static double Positive(double value, string name, bool orZero = false)
        => orZero ? Setting.NotNegative(value, name) : Setting.Positive(value, name);
}
