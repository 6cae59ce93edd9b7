namespace MLNet.Pruning;

/// <summary>How an ensemble of trees is pruned.</summary>
public sealed record TreePruningOptions
{
    /// <summary>
    /// How far. Of the ensembles tried within a size, the one with the best metric on the validation rows is taken, so that a larger size never does
    /// worse on them; where the loss of metric is limited, the smallest found within it, which then has to be within the sizes given.
    /// </summary>
    /// <value>Default: as far as 0.005 of the metric allow.</value>
    public Budget Budget
    {
        get;
        init => field = Setting.Present(value).For("PruneTrees", [CostMeasure.Bytes, CostMeasure.Trees, CostMeasure.Nodes]);
    } = Budget.MetricLoss(0.005);

    /// <summary>What is measured on the validation rows and chosen by.</summary>
    /// <value>
    /// Default null: <see cref="Metric.AreaUnderRocCurve"/> of binary classification, <see cref="Metric.Accuracy"/> of several classes,
    /// <see cref="Metric.RSquared"/> of regression.
    /// </value>
    public Metric? Metric { get; init; }

    /// <summary>In which order.</summary>
    /// <value>Default <see cref="TreePruningMethod.ForwardSelection"/>.</value>
    public TreePruningMethod Method
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(Method), value, "There is no such method.");
    } = TreePruningMethod.ForwardSelection;

    /// <summary>
    /// Whether the values of the leaves that are left are fitted anew to the training rows: by regularized least squares, or by Newton steps
    /// for the logistic loss where the model gives probabilities, which is that of a class in the softmax where the classes compete in one.
    /// </summary>
    /// <value>Default true.</value>
    public bool RefitLeaves { get; init; } = true;

    /// <summary>How strongly refitted leaves are held to what they were, as a number of rows; positive and finite.</summary>
    /// <value>Default 10.</value>
    public double RefitRegularization
    {
        get;
        init => field = value > 0 && double.IsFinite(value) ? value
            : throw new ArgumentOutOfRangeException(nameof(RefitRegularization), value, "The regularization is a positive, finite number of rows.");
    } = 10;

    /// <summary>A key (several classes), a <see cref="bool"/> (binary) or a <see cref="float"/> (regression).</summary>
    /// <value>Default "Label".</value>
    public string LabelColumnName
    {
        get;
        init => field = Setting.Named(value);
    } = "Label";

    /// <summary>
    /// A <see cref="float"/> that says how often a row counts, where leaves are refitted and losses compared; the metric counts every row once, as ML.NET's
    /// does.
    /// </summary>
    /// <value>Default null: every row counts once.</value>
    public string? ExampleWeightColumnName { get; init => field = Setting.NamedIfGiven(value); }

    /// <summary>
    /// Share of the rows held back to choose on, in (0, 1); a trainer does not see them. A model that is fitted already must not have seen
    /// the rows it is pruned with either, or the choice flatters it.
    /// </summary>
    /// <value>Default 0.2.</value>
    public double ValidationFraction
    {
        get;
        init => field = value is > 0 and < 1 ? value : throw new ArgumentOutOfRangeException(nameof(ValidationFraction), value,
            "The validation fraction lies in (0, 1).");
    } = 0.2;

    /// <summary>Rows to choose on; <see cref="ValidationFraction"/> then has no meaning, and all rows are trained on.</summary>
    /// <value>Default null.</value>
    public IDataView? ValidationData { get; init; }

    /// <summary>Seed of the split.</summary>
    /// <value>Default null: drawn from that of the MLContext.</value>
    public int? Seed { get; init; }

    /// <summary>Ends the pruning.</summary>
    public CancellationToken CancellationToken { get; init; }
}
