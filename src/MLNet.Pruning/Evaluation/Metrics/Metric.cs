using MLNet.Pruning.Evaluation.Metrics;

namespace MLNet.Pruning;

/// <summary>
/// What a model is measured by: a name, a legend, a unit, a direction, and a function of what it says of rows, or of the network itself. Early
/// stopping, tolerances, budgets, evaluations and reports take any; <see cref="Of"/> and <see cref="MeanOf"/> make one's own,
/// <see cref="Under"/> and <see cref="GeneralizationGap"/> one of another.
/// </summary>
public sealed partial class Metric
{
    private const string UnderWord = " under ";
    private const string GapWords = "gap of ";
    private static readonly Lazy<IReadOnlyList<Metric>> s_all = new(() => Array.AsReadOnly<Metric>(
        [.. OfClasses, .. OfNumbers, .. OfNetworks, .. OfRuns, .. OfEnergy, .. OfImages]));

    private readonly Func<Predictions, double>? _measure;
    private readonly Func<Trial, Measured>? _try;
    private readonly Perturbation? _perturbation;

    private Metric(string name, string legend, string unit, MetricDirection direction, Func<Predictions, double> measure, IEnumerable<LearningTask> tasks,
        Perturbation? perturbation = null)
        => (Name, Legend, Unit, Direction, _measure, Tasks, _perturbation) = (name, legend, unit, direction, measure, [.. tasks], perturbation);

    private Metric(string name, string legend, string unit, MetricDirection direction, Func<Trial, Measured> measure, IEnumerable<LearningTask> tasks)
        => (Name, Legend, Unit, Direction, _try, Tasks) = (name, legend, unit, direction, measure, [.. tasks]);

    /// <summary>
    /// The metrics of the library: <see cref="TopK"/> with 5, those of time for one row at a time, those of images with values in [0, 1].
    /// </summary>
    public static IReadOnlyList<Metric> All => s_all.Value;

    /// <summary>What it is called, in reports, files and on the command line.</summary>
    public string Name { get; }

    /// <summary>What it is, as a sentence.</summary>
    public string Legend { get; }

    /// <summary>What it is counted in; empty for a share or another plain number.</summary>
    public string Unit { get; }

    /// <summary>Whether higher or lower is better.</summary>
    public MetricDirection Direction { get; }

    /// <summary>The tasks it fits; none of those that compare images.</summary>
    public IReadOnlyList<LearningTask> Tasks { get; }

    /// <summary>What rows need for it to be a number; null where all have it.</summary>
    internal string? Needs { get; private init; }

    /// <summary>Its value for one row, of which it is the mean; null where it is no mean.</summary>
    internal Func<Predictions, int, double>? Row { get; private init; }

    /// <summary>Whether it is a function of what a model says of labelled rows, so that rows drawn anew tell how sure it is.</summary>
    internal bool IsOfPredictions => _measure is not null;

    /// <summary>Whether it is counted of the network alone, in no time to speak of.</summary>
    internal bool IsCount { get; private init; }

    /// <summary>Outputs that a network has to have more of; 0 for any.</summary>
    internal int MoreThan { get; private init; }

    /// <summary>Whether it needs rows; those that count or time a network do not.</summary>
    internal bool NeedsRows { get; private init; } = true;

    /// <summary>A metric of one's own.</summary>
    /// <param name="name">What it is called; not empty.</param>
    /// <param name="direction">Whether higher or lower is better.</param>
    /// <param name="measure">
    /// Its value on some rows; not a number where they do not define it. It heeds <see cref="Predictions.WeightOf"/> where rows may count
    /// otherwise than once: for a
    /// bound with confidence, and for trees with example weights.
    /// </param>
    /// <param name="legend">What it is, as a sentence.</param>
    /// <param name="unit">What it is counted in.</param>
    /// <param name="tasks">The tasks it fits; null for all.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Metric Of(string name, MetricDirection direction, Func<Predictions, double> measure, string legend = "", string unit = "",
        IEnumerable<LearningTask>? tasks = null)
    {
        CheckTexts(name, legend, unit);
        ArgumentNullException.ThrowIfNull(measure);
        return new(name, legend, unit, Setting.Defined(direction, nameof(direction)), measure, Defined(tasks));
    }

    /// <summary>A metric of one's own that is a mean over rows.</summary>
    /// <param name="name">What it is called; not empty.</param>
    /// <param name="direction">Whether higher or lower is better.</param>
    /// <param name="row">
    /// Its value for one row, by number from 0. Where it is 0 or 1 on every row, and has no unit, bounds with confidence are exact.
    /// </param>
    /// <param name="legend">What it is, as a sentence.</param>
    /// <param name="unit">What it is counted in.</param>
    /// <param name="tasks">The tasks it fits; null for all.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Metric MeanOf(string name, MetricDirection direction, Func<Predictions, int, double> row, string legend = "", string unit = "",
        IEnumerable<LearningTask>? tasks = null)
    {
        CheckTexts(name, legend, unit);
        ArgumentNullException.ThrowIfNull(row);
        return ByRow(name, legend, unit, Setting.Defined(direction, nameof(direction)), row, Defined(tasks));
    }

    /// <summary>A metric of the library.</summary>
    /// <param name="name">
    /// Its name, in small or capital letters, such as "macro-f1", "top-3", "latency-p95(32)", "accuracy under Fgsm(0.1)" or "gap of accuracy".
    /// </param>
    /// <exception cref="ArgumentException">There is none of that name; the message tells the nearest.</exception>
    public static Metric Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.StartsWith(GapWords, StringComparison.OrdinalIgnoreCase))
        {
            return GeneralizationGap(Named(name[GapWords.Length..]));
        }

        if (name.IndexOf(UnderWord, StringComparison.OrdinalIgnoreCase) is > 0 and var under)
        {
            return Named(name[..under]).Under(Perturbation.Named(name[(under + UnderWord.Length)..]));
        }

        return All.FirstOrDefault(metric => string.Equals(metric.Name, name, StringComparison.OrdinalIgnoreCase)) ?? TopNamed(name) ?? RunNamed(name)
            ?? ImageNamed(name)
            ?? throw new ArgumentException($"There is no metric '{name}'.{NearestNames.Suggest(name, All.Select(metric => metric.Name))}", nameof(name));
    }

    /// <summary>The metric that a file names. A file holds no functions: one's own has to be given again where it is needed.</summary>
    internal static Metric OfFile(string name)
    {
        try
        {
            return Named(name);
        }
        catch (ArgumentException)
        {
            return new(name, "", "", MetricDirection.HigherIsBetter, new Func<Predictions, double>(_ => throw new InvalidOperationException(
                $"The network was trained with the metric '{name}' of the program that trained it, which no file holds: give the step a metric.")),
                    LearningTask.All);
        }
    }

    /// <summary>Its value on some rows.</summary>
    /// <param name="predictions">What a model says of them, and their labels.</param>
    /// <returns>Not a number where the rows do not define it, such as the area under the ROC curve of rows of one class alone.</returns>
    /// <exception cref="ArgumentException">It does not fit the task, or it is not a function of predictions alone.</exception>
    public double Measure(Predictions predictions)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        Check(predictions.Task);
        CheckOfPredictions("is a function of predictions", takesChanges: false);
        return _measure!(predictions);
    }

    /// <summary>Its value for a network on rows, with what there is to say of it.</summary>
    /// <exception cref="ArgumentException">It does not fit the task, or needs what the trial does not have.</exception>
    internal Measured On(Trial trial)
    {
        if (_measure is not { } measure)
        {
            return _try!(trial);
        }

        Check(trial.Task ?? throw Trial.Lacks(this, "a label column that says what the outputs mean"));
        var predictions = Seen(trial);
        var value = measure(predictions);
        return new(value, !double.IsNaN(value) ? null : predictions.Scores.ToArray().Any(float.IsNaN) ? "undefined: scores are not numbers"
            : Needs is null ? null : $"undefined: it needs {Needs}");
    }

    /// <summary>What it is measured on: what a network says of the rows, or of the rows as they are changed.</summary>
    internal Predictions Seen(Trial trial) => _perturbation is null ? trial.Predictions : trial.Predict(_perturbation);

    /// <summary>By how much a value is worse than the one before, in the metric's direction; negative where it is better.</summary>
    internal double Loss(double before, double after) => Direction == MetricDirection.HigherIsBetter ? before - after : after - before;

    /// <summary>Its value on predictions that were changed already where it changes rows.</summary>
    internal double MeasureSeen(Predictions predictions) => _measure!(predictions);

    /// <summary>Refuses one that is no function of predictions.</summary>
    /// <param name="what">What is asked of it.</param>
    /// <param name="takesChanges">Whether one that changes rows will do.</param>
    internal void CheckOfPredictions(string what, bool takesChanges = true)
    {
        if (!IsOfPredictions || !takesChanges && _perturbation is not null)
        {
            throw new ArgumentException($"The metric '{Name}' is measured on a network, by ml.Compression().Evaluate and in steps on networks; expected one "
                + $"that {what}.", "metric");
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The metric that was chosen, or else the task's own.</summary>
    /// <exception cref="ArgumentException">It does not fit the task; the message names those that do.</exception>
    internal static Metric Resolve(Metric? chosen, LearningTask task)
    {
        var metric = chosen ?? task.Metric;
        metric.Check(task);
        return metric;
    }

    /// <summary>A value as text; one that could not be measured is "NA".</summary>
    internal static string Text(double value, string unit)
        => double.IsNaN(value) ? "NA"
            : value.ToString(unit.Length == 0 ? "0.0000" : Math.Abs(value) < 1e5 ? "g5" : "N0", CultureInfo.InvariantCulture);

    private static Metric ByRow(string name, string legend, string unit, MetricDirection direction, Func<Predictions, int, double> row,
        IEnumerable<LearningTask> tasks)
        => new(name, legend, unit, direction, rows => rows.Mean(one => row(rows, one)), tasks) { Row = row };

    private static IReadOnlyList<LearningTask> Defined(IEnumerable<LearningTask>? tasks)
        => Setting.Complete([.. tasks ?? LearningTask.All], nameof(tasks));

    private void Check(LearningTask task)
    {
        if (!Tasks.Contains(task))
        {
            var fitting = string.Join(", ", All.Where(metric => metric.IsOfPredictions && metric.Tasks.Contains(task)));
            throw new ArgumentException($"The metric '{Name}' does not fit a {task} task; these do: {fitting}.", "metric");
        }
    }

    private static void CheckTexts(string name, string legend, string unit)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(legend);
        ArgumentNullException.ThrowIfNull(unit);
    }
}
