using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Microsoft.ML.Data;

public sealed class ConfusionMatrix
{
    private readonly string[] _classNames;
    private readonly bool _binary;
    private string? _table;

    /// <param name="counts">Rows are the true classes, columns the predicted ones.</param>
    /// <param name="classNames">One name a class.</param>
    /// <param name="binary">Whether the first class is the positive one of two.</param>
    internal ConfusionMatrix(double[][] counts, string[] classNames, bool binary)
    {
        _classNames = classNames;
        _binary = binary;
        NumberOfClasses = counts.Length;
        Counts = counts.Select(row => (IReadOnlyList<double>)row.ToList().AsReadOnly()).ToList().AsReadOnly();
        PerClassRecall = [.. counts.Select((row, i) => Ratio(row[i], row.Sum()))];
        PerClassPrecision = [.. counts.Select((row, i) => Ratio(row[i], counts.Sum(r => r[i])))];
    }

    public IReadOnlyList<double> PerClassPrecision { get; }

    public IReadOnlyList<double> PerClassRecall { get; }

    public IReadOnlyList<IReadOnlyList<double>> Counts { get; }

    public int NumberOfClasses { get; }

    public double GetCountForClassPair(int predictedClassIndicatorIndex, int actualClassIndicatorIndex)
    {
        CheckIndex(predictedClassIndicatorIndex, nameof(predictedClassIndicatorIndex));
        CheckIndex(actualClassIndicatorIndex, nameof(actualClassIndicatorIndex));
        return Counts[actualClassIndicatorIndex][predictedClassIndicatorIndex];
    }

    public string GetFormattedConfusionTable() => _table ??= FormatTable();

    private static double Ratio(double part, double whole) => whole > 0 ? part / whole : 0;

    private void CheckIndex(int index, string name)
    {
        if (index < 0 || index >= NumberOfClasses)
        {
            throw new ArgumentOutOfRangeException(name, index, $"Invalid index. Should be non-negative, less than the number of classes ({NumberOfClasses}).");
        }
    }

    private string FormatTable()
    {
        var culture = CultureInfo.CurrentCulture;
        int width = NumberOfClasses == 2 ? 8 : 5;
        int longest = _classNames.Max(name => name.Length);
        // Names too long for the header give way to class numbers there, and the rows carry both.
        bool numbered = longest > width;
        int digits = (NumberOfClasses - 1).ToString(culture).Length;
        int labelWidth = Math.Max("PREDICTED".Length, numbered ? longest + digits + 2 : longest);
        string pad = new(' ', labelWidth - "PREDICTED".Length);
        string bars = string.Concat(Enumerable.Repeat(NumberOfClasses > 2 ? "========" : "===========", NumberOfClasses));

        var text = new StringBuilder();
        if (NumberOfClasses == 2 && _binary)
        {
            double positives = Counts[0].Sum(), negatives = Counts[1].Sum();
            text.Append(culture, $"TEST {_classNames[0].ToUpper(culture)} RATIO:\t{positives / (positives + negatives):N4} ");
            text.Append(culture, $"({positives:F1}/({positives:F1}+{negatives:F1}))");
        }

        text.AppendLine().AppendLine("Confusion table");
        text.AppendLine($"          {pad}||{bars}");
        text.Append($"PREDICTED {pad}||");
        for (int i = 0; i < NumberOfClasses; i++)
        {
            text.Append($" {(numbered ? i.ToString(culture) : _classNames[i]).PadLeft(width)} |");
        }

        text.AppendLine(" Recall");
        text.AppendLine($"TRUTH     {pad}||{bars}");
        for (int i = 0; i < NumberOfClasses; i++)
        {
            text.Append(numbered
                ? $"{i.ToString(culture).PadLeft(digits)}. {_classNames[i].PadLeft(labelWidth - digits - 2)} ||"
                : $"{_classNames[i].PadLeft(labelWidth)} ||");
            foreach (double count in Counts[i])
            {
                text.Append($" {count.ToString("N0", culture).PadLeft(width)} |");
            }

            text.AppendLine($" {PerClassRecall[i].ToString("F4", culture),5}");
        }

        text.AppendLine($"          {pad}||{bars}");
        text.Append($"Precision {pad}||");
        foreach (double precision in PerClassPrecision)
        {
            text.Append($"{precision.ToString("N4", culture).PadLeft(width + 1)} |");
        }

        return text.AppendLine().ToString();
    }
}
