namespace MLNet.Pruning;

/// <summary>What a network is measured by, and on which rows.</summary>
public sealed record EvaluationOptions
{
    /// <summary>What is measured, in this order.</summary>
    /// <value>
    /// Default null: the metrics of the library that fit the task and are functions of predictions, and those that count the network; where there are images to
    /// compare, those of images.
    /// </value>
    public IReadOnlyList<Metric>? Metrics
    {
        get;
        init => field = value is null ? null : Array.AsReadOnly<Metric>([.. Setting.Complete(value, nameof(Metrics))]);
    }

    /// <summary>Rows that the network was trained on, for <see cref="Metric.GeneralizationGap"/>, with the same columns.</summary>
    /// <value>Default null: none.</value>
    public IDataView? TrainingData { get; init; }

    /// <summary>
    /// Of a network without a chain: the columns to read, in the order of its inputs. In a chain the network has columns of its own.
    /// </summary>
    /// <value>Default null: columns named as the network's inputs, or "Features" for a single input whose name the data does not have.</value>
    public IReadOnlyList<string>? InputColumnNames
    {
        get;
        init => field = value is null ? null
            : Array.AsReadOnly<string>([.. Setting.Complete(value, nameof(InputColumnNames)).Select(name => Setting.Named(name, nameof(InputColumnNames)))]);
    }

    /// <summary>
    /// Of a network without a chain: a key of as many values as it has outputs, a <see cref="bool"/> or a <see cref="float"/>, which say what its outputs mean;
    /// or the image that its output should be, a vector of <see cref="float"/> of the same size.
    /// </summary>
    /// <value>Default "Label".</value>
    public string LabelColumnName { get; init => field = Setting.Named(value); } = "Label";

    /// <summary>Of a network without a chain: a <see cref="float"/> that says how often a row counts.</summary>
    /// <value>Default null: every row counts once.</value>
    public string? ExampleWeightColumnName { get; init => field = Setting.NamedIfGiven(value); }

    /// <summary>Of a network without a chain: how images (inputs of batch x channels x height x width) lie in their columns.</summary>
    /// <value>Default <see cref="ImageLayout.ChannelsFirst"/>.</value>
    public ImageLayout ImageLayout { get; init => field = Setting.Defined(value); } = ImageLayout.ChannelsFirst;

    /// <summary>Rows run at a time where predictions are made; times say themselves how many. At least 1.</summary>
    /// <value>Default 256.</value>
    public int BatchSize { get; init => field = Setting.AtLeast(1, value); } = 256;

    /// <summary>Ends the evaluation.</summary>
    /// <value>Default none.</value>
    public CancellationToken CancellationToken { get; init; }
}
