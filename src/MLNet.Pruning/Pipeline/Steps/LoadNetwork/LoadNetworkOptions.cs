namespace MLNet.Pruning;

/// <summary>A network and the columns it is brought to.</summary>
public sealed record LoadNetworkOptions
{
    /// <summary>The network, with values: of a file <see cref="Network.FromOnnx(string, IReadOnlyDictionary{string, int})"/>.</summary>
    public required Network Network { get; init => field = Setting.Present(value); }

    /// <summary>The columns to read, in the order of the network's inputs.</summary>
    /// <value>Default null: columns named as the network's inputs, or "Features" for a single input whose name the data does not have.</value>
    public IReadOnlyList<string>? InputColumnNames
    {
        get;
        init => field = value is null ? null
            : Array.AsReadOnly<string>([.. Setting.Complete(value, nameof(InputColumnNames)).Select(name => Setting.Named(name, nameof(InputColumnNames)))]);
    }

    /// <summary>Which of the network's outputs is the score; the others are dropped.</summary>
    /// <value>Default null: the first.</value>
    public string? OutputName { get; init => field = Setting.NamedIfGiven(value); }

    /// <summary>
    /// A key of as many values as the network has outputs (multiclass), a <see cref="bool"/> (binary) or a <see cref="float"/>
    /// (regression). The data need not have it for scoring; steps that train or measure refuse data without it.
    /// </summary>
    /// <value>Default "Label".</value>
    public string? LabelColumnName { get; init => field = Setting.NamedIfGiven(value); } = "Label";

    /// <summary>
    /// A <see cref="float"/> that says how often a row counts where later steps of the chain train or measure; see
    /// <see cref="NeuralNetworkOptions.ExampleWeightColumnName"/>. The data need not have it for scoring.
    /// </summary>
    /// <value>Default null: every row counts once.</value>
    public string? ExampleWeightColumnName { get; init => field = Setting.NamedIfGiven(value); }

    /// <summary>What the outputs mean.</summary>
    /// <value>Default null: what the type of the label column says, a key multiclass, a <see cref="bool"/> binary, a <see cref="float"/> regression.</value>
    public LearningTask? Task { get; init; }

    /// <summary>How images (inputs of batch x channels x height x width) lie in their columns.</summary>
    /// <value>Default <see cref="ImageLayout.ChannelsFirst"/>.</value>
    public ImageLayout ImageLayout { get; init => field = Setting.Defined(value); } = ImageLayout.ChannelsFirst;

    /// <summary>How later steps of the chain train by default.</summary>
    /// <value>Default null: Adam with a learning rate of 0.001, as trainers do.</value>
    public TrainingOptions? Training { get; init; }

    /// <summary>Share of the rows held back to measure on by later steps, in [0, 1). They are never trained on.</summary>
    /// <value>Default 0.1.</value>
    public double ValidationFraction { get; init => field = Setting.Share(value); } = 0.1;

    /// <summary>Whether later steps leave out rows with missing labels, values that are not finite, weights that are none or ids beyond a table;
    /// else they refuse them.</summary>
    /// <value>Default false.</value>
    public bool SkipInvalidRows { get; init; }

    /// <summary>Seed of the split into rows to train on and rows to measure on.</summary>
    /// <value>Default null: drawn from the MLContext, so <c>new MLContext(seed)</c> fixes it too.</value>
    public int? Seed { get; init; }

    internal void Validate()
    {
        Training?.Validate();
        ForTraining(Network, "Features").ValidateRows();
    }

    internal NeuralNetworkOptions ForTraining(Network network, string featureColumn) => new(Training ?? new TrainingOptions())
    {
        Network = network,
        FeatureColumnName = featureColumn,
        LabelColumnName = LabelColumnName ?? "Label",
        ExampleWeightColumnName = ExampleWeightColumnName,
        ValidationFraction = ValidationFraction,
        SkipInvalidRows = SkipInvalidRows,
    };
}
