using MLNet.Pruning.Data;

namespace MLNet.Pruning;

/// <summary>How a network is trained, and on which columns.</summary>
public sealed record NeuralNetworkOptions : TrainingOptions
{
    /// <summary>The defaults.</summary>
    public NeuralNetworkOptions()
    {
    }

    internal NeuralNetworkOptions(TrainingOptions training) : base(training)
    {
    }

    /// <summary>Those that catalogs take as plain arguments.</summary>
    internal static NeuralNetworkOptions Of(Network? network, string label, string features, int epochs, int batchSize, double learningRate) => new()
    {
        Network = network, LabelColumnName = label, FeatureColumnName = features, Epochs = epochs, BatchSize = batchSize, LearningRate = learningRate,
    };

    /// <summary>The network to train; parameters without values are drawn first.</summary>
    public Network? Network { get; init; }

    /// <summary>A known-size vector of <see cref="float"/>, as many as the network reads.</summary>
    /// <value>Default "Features".</value>
    public string FeatureColumnName { get; init => field = Setting.Named(value); } = "Features";

    /// <summary>A key (multiclass), a <see cref="bool"/> (binary) or a <see cref="float"/> (regression).</summary>
    /// <value>Default "Label".</value>
    public string LabelColumnName { get; init => field = Setting.Named(value); } = "Label";

    /// <summary>
    /// A <see cref="float"/>, finite and not negative, that says how often a row counts: in the training's loss, which is the mean over a batch of the
    /// rows' losses times their weights, over the sum of the weights; in the validation's loss and metrics; and in the losses that importance is measured
    /// by. A row of weight 2 counts as two. What a teacher adds in a distillation, and the statistics of batch normalisation, count every row once.
    /// Later steps of the chain read the column too.
    /// </summary>
    /// <value>Default null: every row counts once.</value>
    public string? ExampleWeightColumnName { get; init => field = Setting.NamedIfGiven(value); }

    /// <summary>
    /// Share of the rows held back to measure on, in [0, 1). They are never trained on, by later steps of the chain neither; all
    /// choices are made on them.
    /// </summary>
    /// <value>Default 0.1.</value>
    public double ValidationFraction { get; init => field = Setting.Share(value); } = 0.1;

    /// <summary>Whether rows with missing labels, values that are not finite or weights that are none are left out; else they are refused.</summary>
    /// <value>Default false.</value>
    public bool SkipInvalidRows { get; init; }

    /// <summary>Epoch whose weights are kept for <see cref="Rewind.ToEarly"/>; at least 1 and at most the number of epochs.</summary>
    /// <value>Default null: none are kept.</value>
    public int? RewindEpoch { get; init => field = Setting.AtLeast(1, value); }

    internal override void Validate()
    {
        ArgumentNullException.ThrowIfNull(Network, nameof(Network));
        base.Validate();
        if (RewindEpoch is not null && Quantization is not null)
        {
            throw new ArgumentException($"Weights that are rounded in training are not rewound to: leave out one of {nameof(RewindEpoch)} and "
                + $"{nameof(Quantization)}.", nameof(RewindEpoch));
        }

        ValidateRows();
        if (RewindEpoch is { } epoch && epoch > Epochs)
        {
            throw new ArgumentOutOfRangeException(nameof(RewindEpoch), epoch, $"The epoch to rewind to lies between 1 and the number of epochs, {Epochs}.");
        }
    }

    /// <summary>Refuses early stopping without rows to measure on.</summary>
    internal void ValidateRows()
    {
        if (EarlyStoppingPatience is not null && ValidationFraction == 0)
        {
            throw new ArgumentException("Early stopping needs validation rows: set ValidationFraction above 0.", nameof(EarlyStoppingPatience));
        }
    }

    /// <summary>How the rows to train on are read.</summary>
    /// <param name="splitSeed">Seed of the split into rows to train on and rows to measure on.</param>
    /// <param name="cancellation">Ends the reading.</param>
    internal RowRules Rows(int splitSeed, CancellationToken cancellation) => new(LabelColumnName, ExampleWeightColumnName, SkipInvalidRows,
        ValidationFraction, splitSeed, cancellation);
}
