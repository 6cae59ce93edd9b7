namespace MLNet.Pruning;

/// <summary>What one epoch of training gave.</summary>
public sealed record EpochResult
{
    [JsonConstructor]
    internal EpochResult(int epoch, int epochs, double loss, ValidationResult? validation)
        => (Epoch, Epochs, Loss, Validation) = (epoch, epochs, loss, validation);

    /// <summary>Number of the epoch, from 1.</summary>
    public int Epoch { get; }

    /// <summary>Epochs planned.</summary>
    public int Epochs { get; }

    /// <summary>Mean loss over the training rows, while the weights were changing.</summary>
    public double Loss { get; }

    /// <summary>What was measured on the validation rows after the epoch; null without such rows. Of a quantisation, with the rounding.</summary>
    public ValidationResult? Validation { get; }

    /// <summary>What the same weights measure without rounding; null but for a quantisation that trains.</summary>
    [JsonInclude]
    public ValidationResult? Floats { get; internal init; }

    /// <summary>The same as one of a longer training.</summary>
    /// <param name="before">Epochs before the first of its own.</param>
    /// <param name="epochs">Epochs planned in all.</param>
    internal EpochResult Behind(int before, int epochs) => new(Epoch + before, epochs, Loss, Validation) { Floats = Floats };

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"epoch {Epoch}/{Epochs}: loss {Loss:g5}{(Validation is null ? "" : $", validation {Validation}")}") + (Floats is null ? "" : $", as floats {Floats}");
}

/// <summary>A network measured on the validation rows.</summary>
public sealed record ValidationResult
{
    /// <param name="metric">The metric.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="name">The metric's name; null in files from before there were others than the task's own.</param>
    /// <param name="unit">What the metric is counted in.</param>
    /// <param name="direction">Whether a higher or a lower metric is better.</param>
    /// <param name="task">The task, which such files name instead.</param>
    [JsonConstructor]
    internal ValidationResult(double metric, double loss, string? name = null, string unit = "", MetricDirection direction = MetricDirection.HigherIsBetter,
        LearningTask? task = null)
        => (Metric, Loss, Name, Unit, Direction) = (metric, loss, name ?? MLNet.Pruning.Metric.Resolve(null, task ?? LearningTask.Multiclass).Name, unit,
            direction);

    internal ValidationResult(double metric, double loss, Metric by) : this(metric, loss, by.Name, by.Unit, by.Direction)
    {
    }

    // JSON reads a parameter through a property of its name; it is never written.
    [JsonInclude, JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    private LearningTask? Task => null;

    /// <summary>
    /// The metric: by default accuracy, in [0, 1], of a classification, and R squared of a regression. Not a number where the rows do not define it.
    /// </summary>
    public double Metric { get; }

    /// <summary>Mean loss over the rows.</summary>
    public double Loss { get; }

    /// <summary>Name of the metric.</summary>
    public string Name { get; }

    /// <summary>What the metric is counted in; empty for a share or another plain number.</summary>
    public string Unit { get; }

    /// <summary>Whether a higher or a lower metric is better.</summary>
    public MetricDirection Direction { get; }

    /// <summary>The metric as text; "NA" where it is not a number.</summary>
    internal string Text => MLNet.Pruning.Metric.Text(Metric, Unit);

    /// <summary>By how much another network does worse by the metric, in its direction.</summary>
    internal double LossTo(ValidationResult other) => Direction == MetricDirection.HigherIsBetter ? Metric - other.Metric : other.Metric - Metric;

    /// <summary>Whether it does better than another by the metric, or as well and by the loss; by the loss alone where the metric is not a number.</summary>
    internal bool IsBetterThan(ValidationResult other) => LossTo(other) is var gain && (gain > 0 || (!(gain < 0) && Loss < other.Loss));

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} {Text}, loss {Loss:g5}");
}
