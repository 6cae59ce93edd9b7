using MLNet.Pruning.Evaluation.Metrics;

namespace MLNet.Pruning;

public sealed partial class Metric
{
    private const string TopWord = "top-";
    private const int DefaultTop = 5;

    /// <summary>
    /// Share of the rows whose class is the predicted one, in [0, 1]; also known as micro accuracy. The default of networks that classify.
    /// </summary>
    public static Metric Accuracy { get; } = Classified("accuracy", "Share of the rows whose class is the predicted one.",
        (rows, row) => rows.PredictedClass(row) == (int)rows.Labels[row] ? 1 : 0, Classifications);

    /// <summary>
    /// The mean over classes of their F1, the harmonic mean of precision and recall, in [0, 1]; classes that no row is of and none is predicted
    /// to be of are left out.
    /// </summary>
    public static Metric MacroF1 { get; } = Counted("macro-F1", "Mean over classes of the harmonic mean of precision and recall.",
        rows => ClassCounts.Macro(rows, counts => counts.F1), Classifications);

    /// <summary>The mean over classes of their precision, in [0, 1]; 0 for a class that no row is predicted to be of while some are.</summary>
    public static Metric MacroPrecision { get; } = Counted("macro-precision",
        "Mean over classes of the share of the rows predicted to be of a class that are.", rows => ClassCounts.Macro(rows, counts => counts.Precision),
        Classifications);

    /// <summary>The mean over classes with rows of their recall, in [0, 1]; ML.NET's macro accuracy.</summary>
    public static Metric MacroRecall { get; } = Counted("macro-recall", "Mean over classes of the share of their rows that are found.",
        rows => ClassCounts.Macro(rows, counts => counts.Recall), Classifications);

    /// <summary>F1 of the counts of all classes together, in [0, 1]; where each row has one class and gets one, that is the accuracy.</summary>
    public static Metric MicroF1 { get; } = Counted("micro-F1", "Harmonic mean of precision and recall of all classes together.", Micro, Classifications);

    /// <summary>The mean over classes of their precision, each as much as rows are of it, in [0, 1]; 0 for a class that none is predicted to be of.</summary>
    public static Metric WeightedPrecision { get; } = Counted("weighted-precision",
        "Mean of the precision of classes, each counting as its rows do.", rows => ClassCounts.Weighted(rows, counts => counts.Precision), Classifications);

    /// <summary>The mean over classes of their recall, each as much as rows are of it, in [0, 1]: the accuracy, by another name.</summary>
    public static Metric WeightedRecall { get; } = Counted("weighted-recall",
        "Mean of the recall of classes, each counting as its rows do.", rows => ClassCounts.Weighted(rows, counts => counts.Recall), Classifications);

    /// <summary>The mean over classes of their F1, each as much as rows are of it, in [0, 1].</summary>
    public static Metric WeightedF1 { get; } = Counted("weighted-F1",
        "Mean of the F1 of classes, each counting as its rows do.", rows => ClassCounts.Weighted(rows, counts => counts.F1), Classifications);

    /// <summary>
    /// The mean over classes of the area under the ROC curve of the class against all others, by the probability it is given, in [0, 1];
    /// <c>roc_auc_score(multi_class="ovr", average="macro")</c> of scikit-learn. Rows of every class define it.
    /// </summary>
    public static Metric MacroAreaUnderRocCurve { get; } = OneVersusRest("macro-AUC", "Mean over classes of the area under the ROC curve against the others.",
        _ => 1);

    /// <summary>The same mean with each class counting as much as rows are of it: <c>average="weighted"</c>.</summary>
    public static Metric WeightedAreaUnderRocCurve { get; } = OneVersusRest("weighted-AUC",
        "Mean of the area under the ROC curve of classes against the others, each counting as its rows do.", counts => counts.Actual);

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
        (rows, row) => -rows.LogProbability(row, (int)rows.Labels[row]), Classifications);

    private static LearningTask[] Classifications => [LearningTask.Multiclass, LearningTask.Binary];

    private static Metric[] OfClasses =>
    [
        Accuracy, TopK(DefaultTop), MacroF1, MacroPrecision, MacroRecall, MicroF1, WeightedF1, WeightedPrecision, WeightedRecall, MacroAreaUnderRocCurve,
        WeightedAreaUnderRocCurve, F1, Precision, Recall, AreaUnderRocCurve, LogLoss,
    ];

    /// <summary>
    /// Share of the rows whose class is among those of the k largest scores, in [0, 1]; of equal scores the earlier class comes first.
    /// </summary>
    /// <param name="k">At least 1, and less than there are classes: all of them always hold the true one.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="k"/> is below 1.</exception>
    public static Metric TopK(int k)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        return Classified(FormattableString.Invariant($"{TopWord}{k}"), $"Share of the rows whose class is among those of the {k} largest scores.",
            (rows, row) => IsAmongTop(k, rows, row) ? 1 : 0, [LearningTask.Multiclass], moreThan: k);
    }

    private static Metric? TopNamed(string name) => name.StartsWith(TopWord, StringComparison.OrdinalIgnoreCase)
        && int.TryParse(name.AsSpan(TopWord.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var k) && k > 0 ? TopK(k) : null;

    private static Metric Classified(string name, string legend, Func<Predictions, int, double> row, IEnumerable<LearningTask> tasks,
        int moreThan = 0)
        => new(name, legend, "", MetricDirection.HigherIsBetter, rows => rows.Mean(one => row(rows, one)), tasks) { Row = row, MoreThan = moreThan };

    private static Metric Counted(string name, string legend, Func<Predictions, double> measure, IEnumerable<LearningTask> tasks)
        => new(name, legend, "", MetricDirection.HigherIsBetter, measure, tasks);

    private static Metric Positive(string name, string legend, Func<ClassCounts, double> value, string needs)
        => new(name, legend, "", MetricDirection.HigherIsBetter, rows => value(ClassCounts.Of(rows)[1]), [LearningTask.Binary]) { Needs = needs };

    private static Metric OneVersusRest(string name, string legend, Func<ClassCounts, double> weight)
        => new(name, legend, "", MetricDirection.HigherIsBetter, rows =>
        {
            var counts = ClassCounts.Of(rows);
            return counts.Index().Sum(one => weight(one.Item) * RocCurve.Area(rows, one.Index)) / counts.Sum(weight);
        }, [LearningTask.Multiclass]) { Needs = "rows of every class" };

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
}
