using MLNet.Pruning.Tasks;

namespace MLNet.Pruning;

/// <summary>
/// What a model is measured by on validation rows: a name, a legend, a unit, a direction, and a function of predictions. Early stopping, tolerances,
/// budgets and reports take any; <see cref="Of"/> and <see cref="MeanOf"/> make one's own.
/// </summary>
public sealed class Metric
{
    private const int DefaultTop = 5;
    private static readonly LearningTask[] s_classifications = [LearningTask.Multiclass, LearningTask.Binary];
    private readonly Func<Predictions, double> _measure;

    private Metric(string name, string legend, string unit, MetricDirection direction, Func<Predictions, double> measure, IEnumerable<LearningTask> tasks)
        => (Name, Legend, Unit, Direction, _measure, Tasks) = (name, legend, unit, direction, measure, [.. tasks]);

    /// <summary>
    /// Share of the rows whose class is the predicted one, in [0, 1]; also known as micro accuracy. The default of networks that classify.
    /// </summary>
    public static Metric Accuracy { get; } = Classified("accuracy", "Share of the rows whose class is the predicted one.",
        (rows, row) => rows.PredictedClass(row) == (int)rows.Labels[row] ? 1 : 0, s_classifications);

    /// <summary>
    /// The mean over classes of their F1, the harmonic mean of precision and recall, in [0, 1]; classes that no row is of and none is predicted
    /// to be of are left out.
    /// </summary>
    public static Metric MacroF1 { get; } = Counted("macro-F1", "Mean over classes of the harmonic mean of precision and recall.",
        rows => ClassCounts.Macro(rows, counts => counts.F1), s_classifications);

    /// <summary>The mean over classes of their precision, in [0, 1]; 0 for a class that no row is predicted to be of while some are.</summary>
    public static Metric MacroPrecision { get; } = Counted("macro-precision",
        "Mean over classes of the share of the rows predicted to be of a class that are.", rows => ClassCounts.Macro(rows, counts => counts.Precision),
        s_classifications);

    /// <summary>The mean over classes with rows of their recall, in [0, 1]; ML.NET's macro accuracy.</summary>
    public static Metric MacroRecall { get; } = Counted("macro-recall", "Mean over classes of the share of their rows that are found.",
        rows => ClassCounts.Macro(rows, counts => counts.Recall), s_classifications);

    /// <summary>F1 of the counts of all classes together, in [0, 1]; where each row has one class and gets one, that is the accuracy.</summary>
    public static Metric MicroF1 { get; } = Counted("micro-F1", "Harmonic mean of precision and recall of all classes together.", Micro, s_classifications);

    /// <summary>The harmonic mean of precision and recall of the positive class, in [0, 1].</summary>
    public static Metric F1 { get; } = Positive("F1", "Harmonic mean of precision and recall of the positive class.", counts => counts.F1,
        "a row that is positive or predicted to be");

    /// <summary>Share of the rows predicted positive that are, in [0, 1]; 0 where none is predicted while some are.</summary>
    public static Metric Precision { get; } = Positive("precision", "Share of the rows predicted positive that are.", counts => counts.Precision,
        "a row that is positive or predicted to be");

    /// <summary>Share of the positive rows that are predicted to be, in [0, 1].</summary>
    public static Metric Recall { get; } = Positive("recall", "Share of the positive rows that are predicted to be.", counts => counts.Recall,
        "a positive row");

    /// <summary>
    /// The area under the ROC curve, in [0, 1]: the share of the pairs of a positive and a negative row in which the positive one scores
    /// higher, ties counting half. The default of trees that classify.
    /// </summary>
    public static Metric AreaUnderRocCurve { get; } = new("AUC",
        "Share of the pairs of a positive and a negative row in which the positive one scores higher.", "",
        MetricDirection.HigherIsBetter, RocCurve.Area, [LearningTask.Binary])
    {
        Needs = "rows of both classes",
    };

    /// <summary>
    /// Mean of the negative natural logarithm of the probability given to the true class, at least 0; ML.NET's binary log-loss is in bits,
    /// 1/ln 2 times as much.
    /// </summary>
    public static Metric LogLoss { get; } = ByRow("log-loss", "Mean of the negative natural logarithm of the probability given to the true class.",
        "nats", MetricDirection.LowerIsBetter,
        (rows, row) => -rows.LogProbability(row, (int)rows.Labels[row]), s_classifications);

    /// <summary>1 less the mean squared error over the variance of the labels, at most 1. The default of a regression.</summary>
    public static Metric RSquared { get; } = new("R2", "1 less the mean squared error over the variance of the labels.", "",
        MetricDirection.HigherIsBetter, ExplainedVariance, [LearningTask.Regression])
    {
        Needs = "labels that differ",
    };

    /// <summary>Mean of the absolute differences of score and label, in units of the label.</summary>
    public static Metric MeanAbsoluteError { get; } = ByRow("MAE", "Mean absolute difference of score and label.", "of the label",
        MetricDirection.LowerIsBetter,
        (rows, row) => Math.Abs((double)rows.Scores[row] - rows.Labels[row]), [LearningTask.Regression]);

    /// <summary>Root of the mean squared difference of score and label, in units of the label.</summary>
    public static Metric RootMeanSquaredError { get; } = new("RMSE", "Root of the mean squared difference of score and label.", "of the label",
        MetricDirection.LowerIsBetter,
        rows => Math.Sqrt(rows.Mean(row => SquaredError(rows, row))), [LearningTask.Regression]);

    /// <summary>The metrics of the library, <see cref="TopK"/> with 5.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        Accuracy, TopK(DefaultTop), MacroF1, MacroPrecision, MacroRecall, MicroF1, F1, Precision, Recall, AreaUnderRocCurve, LogLoss, RSquared,
            MeanAbsoluteError, RootMeanSquaredError,
    ];

    /// <summary>What it is called, in reports, files and on the command line.</summary>
    public string Name { get; }

    /// <summary>What it is, as a sentence.</summary>
    public string Legend { get; }

    /// <summary>What it is counted in; empty for a share or another plain number.</summary>
    public string Unit { get; }

    /// <summary>Whether higher or lower is better.</summary>
    public MetricDirection Direction { get; }

    /// <summary>The tasks it fits.</summary>
    public IReadOnlyList<LearningTask> Tasks { get; }

    /// <summary>What rows need for it to be a number; null where all have it.</summary>
    internal string? Needs { get; private init; }

    /// <summary>Its value for one row, of which it is the mean; null where it is no mean.</summary>
    internal Func<Predictions, int, double>? Row { get; private init; }

    /// <summary>
    /// Share of the rows whose class is among those of the k largest scores, in [0, 1]; of equal scores the earlier class comes first.
    /// </summary>
    /// <param name="k">At least 1, and less than there are classes: all of them always hold the true one.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is below 1.</exception>
    public static Metric TopK(int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        return Classified(FormattableString.Invariant($"top-{k}"), $"Share of the rows whose class is among those of the {k} largest scores.",
        (rows, row) => IsAmongTop(k, rows, row) ? 1 : 0, [LearningTask.Multiclass]);
    }

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
    /// <param name="name">Its name, in small or capital letters, such as "macro-f1" or "top-3".</param>
    /// <exception cref="ArgumentException">There is none of that name; the message tells the nearest.</exception>
    public static Metric Named(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return All.FirstOrDefault(metric => string.Equals(metric.Name, name, StringComparison.OrdinalIgnoreCase))
            ?? (name.StartsWith("top-", StringComparison.OrdinalIgnoreCase) && int.TryParse(name.AsSpan(4), NumberStyles.None,
                CultureInfo.InvariantCulture, out var k) && k > 0 ? TopK(k)
            : throw new ArgumentException($"There is no metric '{name}'.{NearestNames.Suggest(name, All.Select(metric => metric.Name))}", nameof(name)));
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
            return new(name, "", "", MetricDirection.HigherIsBetter, _ => throw new InvalidOperationException(
                $"The network was trained with the metric '{name}' of the program that trained it, which no file holds: give the step a metric."),
                    LearningTask.All);
        }
    }

    /// <summary>Its value on some rows.</summary>
    /// <param name="predictions">What a model says of them, and their labels.</param>
    /// <returns>Not a number where the rows do not define it, such as the area under the ROC curve of rows of one class alone.</returns>
    /// <exception cref="ArgumentException">It does not fit the task.</exception>
    public double Measure(Predictions predictions)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        Check(predictions.Task);
        return _measure(predictions);
    }

    /// <summary>By how much a value is worse than the one before, in the metric's direction; negative where it is better.</summary>
    internal double Loss(double before, double after) => Direction == MetricDirection.HigherIsBetter ? before - after : after - before;

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
        => double.IsNaN(value) ? "NA" : value.ToString(unit.Length == 0 ? "0.0000" : "g5", CultureInfo.InvariantCulture);

    private static Metric ByRow(string name, string legend, string unit, MetricDirection direction, Func<Predictions, int, double> row,
        IEnumerable<LearningTask> tasks)
        => new(name, legend, unit, direction, rows => rows.Mean(one => row(rows, one)), tasks) { Row = row };

    private static Metric Classified(string name, string legend, Func<Predictions, int, double> row, IEnumerable<LearningTask> tasks)
        => ByRow(name, legend, "", MetricDirection.HigherIsBetter, row, tasks);

    private static Metric Counted(string name, string legend, Func<Predictions, double> measure, IEnumerable<LearningTask> tasks)
        => new(name, legend, "", MetricDirection.HigherIsBetter, measure, tasks);

    private static Metric Positive(string name, string legend, Func<ClassCounts, double> value, string needs)
        => new(name, legend, "", MetricDirection.HigherIsBetter, rows => value(ClassCounts.Of(rows)[1]), [LearningTask.Binary]) { Needs = needs };

    private static IReadOnlyList<LearningTask> Defined(IEnumerable<LearningTask>? tasks)
        => Setting.Complete([.. tasks ?? LearningTask.All], nameof(tasks));

    private static double Micro(Predictions rows)
    {
        var counts = ClassCounts.Of(rows);
        return new ClassCounts(counts.Sum(count => count.Actual), counts.Sum(count => count.Predicted), counts.Sum(count => count.Both)).F1;
    }

    private static bool IsAmongTop(int k, Predictions rows, int row)
    {
        if (k >= rows.Outputs)
        {
            throw new ArgumentException($"The metric 'top-{k}' is 1 whatever {rows.Outputs} classes score: take fewer than there are.", nameof(k));
        }

        var scores = rows.ScoresOf(row);
        var label = (int)rows.Labels[row];
        var before = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            // A score that is not a number is before all others, so that it never counts for the model.
            before += i != label && !(scores[i] < scores[label] || (scores[i] == scores[label] && i > label)) ? 1 : 0;
        }

        return before < k && !float.IsNaN(scores[label]);
    }

    private static double SquaredError(Predictions rows, int row) => Math.Pow((double)rows.Scores[row] - rows.Labels[row], 2);

    private static double ExplainedVariance(Predictions rows)
    {
        var mean = rows.Mean(row => rows.Labels[row]);
        var variance = rows.Mean(row => Math.Pow(rows.Labels[row] - mean, 2));
        return variance > 0 ? 1 - rows.Mean(row => SquaredError(rows, row)) / variance : double.NaN;
    }

    private void Check(LearningTask task)
    {
        if (!Tasks.Contains(task))
        {
            var fitting = string.Join(", ", All.Where(metric => metric.Tasks.Contains(task)));
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
