using MLNet.Pruning.Messages.Reports;

namespace MLNet.Pruning;

/// <summary>
/// A confusion matrix: how many rows of each class are predicted to be of each. Prints as a table, and notebooks shade it, ML.NET's own
/// <see cref="ConfusionMatrix"/> too.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatters))]
public sealed class ClassConfusion : IHtmlDisplay
{
    /// <summary>Classes up to which every pair has a cell; of more, those that are taken for each other most often are listed.</summary>
    private const int MostClasses = 32;

    /// <summary>Classes beyond which nothing is counted: the cells are as many as their square.</summary>
    internal const int Limit = 1024;

    /// <param name="classes">Names of the classes.</param>
    /// <param name="counts">By actual class and predicted class.</param>
    /// <param name="unpredicted">Rows of each class whose scores are not numbers.</param>
    internal ClassConfusion(ImmutableArray<string> classes, double[][] counts, double[] unpredicted)
        => (Classes, Counts, Unpredicted) = (classes, [.. counts.Select(row => row.ToImmutableArray())], [.. unpredicted]);

    /// <summary>Names of the classes, in the order of the outputs: the label's key values, or "negative" and "positive".</summary>
    public ImmutableArray<string> Classes { get; }

    /// <summary>
    /// <c>Counts[actual][predicted]</c>, classes x classes: rows of the one class that are predicted to be of the other; they count as often as they weigh.
    /// </summary>
    public ImmutableArray<ImmutableArray<double>> Counts { get; }

    /// <summary>Rows of each class that are predicted to be of none, because a score is not a number.</summary>
    public ImmutableArray<double> Unpredicted { get; }

    /// <summary>The matrix of ML.NET's own evaluation, of any model.</summary>
    /// <param name="matrix">Of the metrics of multiclass or binary classification.</param>
    /// <exception cref="ArgumentNullException"><paramref name="matrix"/> is null.</exception>
    /// <example>
    /// <code>
    /// var metrics = ml.MulticlassClassification.Evaluate(model.Transform(test));
    /// Console.WriteLine(ClassConfusion.Of(metrics.ConfusionMatrix));
    /// </code>
    /// </example>
    public static ClassConfusion Of(ConfusionMatrix matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return new(ClassNames(matrix), [.. matrix.Counts.Select(row => row.ToArray())], new double[matrix.NumberOfClasses]);
    }

    /// <summary>Share of the rows of a class that are found, in [0, 1]; not a number where there are none.</summary>
    /// <param name="index">Of the class, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double Recall(int index) => Counts[Known(index)][index] / (Counts[index].Sum() + Unpredicted[index]);

    /// <summary>Share of the rows predicted to be of a class that are, in [0, 1]; not a number where none is predicted to be.</summary>
    /// <param name="index">Of the class, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double Precision(int index) => Counts[Known(index)][index] / Counts.Sum(row => row[index]);

    /// <summary>A line for each class with its rows by prediction; of more than 32 classes the pairs that are taken for each other most often.</summary>
    public override string ToString() => string.Join(Environment.NewLine, Parts);

    IReadOnlyList<ReportPart> IHtmlDisplay.Parts => Parts;

    private int Known(int index) => index >= 0 && index < Classes.Length ? index
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"There are {Classes.Length} classes, numbered from 0.");

    /// <summary>As a report has it.</summary>
    internal IReadOnlyList<ReportPart> Parts => [Classes.Length <= MostClasses ? Matrix() : Pairs(),
        .. Unpredicted.Sum() is > 0 and var lost ? [new ReportText($"Rows with scores that are not numbers: {Number(lost)}.")] : Array.Empty<ReportPart>()];

    /// <summary>What a network says of labelled rows.</summary>
    /// <param name="predictions">Of classes.</param>
    /// <param name="names">Names of the classes; null or another number of them for the usual ones.</param>
    internal static ClassConfusion Of(Predictions predictions, IReadOnlyList<string>? names)
    {
        var classes = predictions.Classes;
        var (counts, unpredicted) = (Enumerable.Range(0, classes).Select(_ => new double[classes]).ToArray(), new double[classes]);
        for (var row = 0; row < predictions.Rows; row++)
        {
            var (actual, predicted) = ((int)predictions.Labels[row], predictions.PredictedClass(row));
            ref var cell = ref predicted < 0 ? ref unpredicted[actual] : ref counts[actual][predicted];
            cell += predictions.WeightOf(row);
        }

        return new(names?.Count == classes ? [.. names] : predictions.Task.HasOutputPerClass ? Numbers(classes) : ["negative", "positive"],
            counts, unpredicted);
    }

    private ReportTable Matrix()
    {
        double Share(int actual, int predicted) => Counts[actual].Sum() is > 0 and var all
            ? Counts[actual][predicted] / all * (actual == predicted ? 1 : -1) : 0;
        int[] all = [.. Enumerable.Range(0, Classes.Length)];
        return new(["actual \\ predicted", .. Classes, "recall"],
            [.. all.Select(i => (string[])[Classes[i], .. Counts[i].Select(Number), Percent(Recall(i))])],
            ["precision", .. all.Select(i => Percent(Precision(i))), Percent(all.Sum(i => Counts[i][i]) / (Counts.Sum(row => row.Sum()) + Unpredicted.Sum()))])
        {
            Shades = [.. all.Select(i => (double[])[0, .. all.Select(j => Share(i, j)), 0])],
        };
    }

    private ReportTable Pairs() => new(["actual", "predicted", "rows", "of the actual class"],
        [.. Enumerable.Range(0, Classes.Length).SelectMany(i => Enumerable.Range(0, Classes.Length).Where(j => i != j && Counts[i][j] > 0)
            .Select(j => (Actual: i, Predicted: j))).OrderByDescending(pair => Counts[pair.Actual][pair.Predicted]).Take(MostClasses)
            .Select(pair => (string[])[Classes[pair.Actual], Classes[pair.Predicted], Number(Counts[pair.Actual][pair.Predicted]),
                Percent(Counts[pair.Actual][pair.Predicted] / (Counts[pair.Actual].Sum() + Unpredicted[pair.Actual]))])]);

    /// <summary>ML.NET tells the names in its text alone: one a line between two rules, numbered where they are long.</summary>
    private static ImmutableArray<string> ClassNames(ConfusionMatrix matrix)
    {
        string[] names = [.. matrix.GetFormattedConfusionTable().Split('\n').SkipWhile(line => !line.StartsWith("TRUTH", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.Contains("||=", StringComparison.Ordinal)).Where(line => line.Contains("||", StringComparison.Ordinal))
            .Select(line => line[..line.LastIndexOf("||", StringComparison.Ordinal)].Trim())];
        if (names.Length > 0 && names.Index().All(name => name.Item.StartsWith($"{name.Index}.", StringComparison.Ordinal)))
        {
            names = [.. names.Select(name => name[(name.IndexOf('.') + 1)..].Trim())];
        }

        return names.Length == matrix.NumberOfClasses ? [.. names] : Numbers(matrix.NumberOfClasses);
    }

    private static ImmutableArray<string> Numbers(int classes)
        => [.. Enumerable.Range(0, classes).Select(index => index.ToString(CultureInfo.InvariantCulture))];

    private static string Number(double rows) => rows.ToString("#,0.##", CultureInfo.InvariantCulture);

    private static string Percent(double share) => double.IsNaN(share) ? "" : (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + "%";
}
