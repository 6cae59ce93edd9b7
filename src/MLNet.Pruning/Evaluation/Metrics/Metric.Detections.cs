using MLNet.Pruning.Evaluation.Metrics;
using MLNet.Pruning.Scoring;

namespace MLNet.Pruning;

public sealed partial class Metric
{
    /// <summary>
    /// The mean average precision of a network that finds objects, in [0, 1], as COCO defines it (Lin et al. 2014): the mean over classes, overlaps of 0.50 to
    /// 0.95 and 101 recalls, of the 100 surest finds of a class in an image. Crowds are neither missed nor found too often.
    /// </summary>
    /// <param name="find">
    /// What the network finds in an image, with scores, from its outputs for that row: values by the name of the output, in row-major order.
    /// </param>
    /// <param name="truths">What is there in the image of a row, by its number from 0.</param>
    /// <param name="overlap">The one overlap, in (0, 1], from which on a find counts, such as 0.5; null for those of COCO.</param>
    /// <param name="size">Which objects are measured on.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    /// <example>
    /// <code>
    /// var truths = new[] { new[] { new ObjectBox(classIndex: 0, x: 10, y: 10, width: 40, height: 30) } };
    /// var metric = Metric.MeanAveragePrecision(
    ///     outputs => outputs["scores"].Select((score, i) => new ObjectBox(0, outputs["boxes"][4 * i], outputs["boxes"][4 * i + 1],
    ///         outputs["boxes"][4 * i + 2], outputs["boxes"][4 * i + 3]) { Score = score }),
    ///     row => truths[row]);
    /// </code>
    /// </example>
    public static Metric MeanAveragePrecision(Func<IReadOnlyDictionary<string, float[]>, IEnumerable<ObjectBox>> find, Func<int, IEnumerable<ObjectBox>> truths,
        double? overlap = null, ObjectSize size = ObjectSize.Any)
    {
        ArgumentNullException.ThrowIfNull(find);
        ArgumentNullException.ThrowIfNull(truths);
        Setting.Defined(size, nameof(size));
        if (overlap is not (null or > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(overlap), overlap, "An overlap lies in (0, 1].");
        }

        var name = "mAP" + (overlap is null ? "" : FormattableString.Invariant($"@{overlap}"))
            + (size == ObjectSize.Any ? "" : $"-{size.ToString().ToLowerInvariant()}");
        return new(name, "Mean average precision of the objects found, in COCO's definition.", "", MetricDirection.HigherIsBetter, trial =>
        {
            var data = trial.Data ?? throw new ArgumentException($"The metric '{name}' needs rows to measure on.");
            using var probe = new TensorProbe(trial.Network, [.. trial.Network.Outputs.Select(output => output.Name)]);
            var images = new List<(ObjectBox[], ObjectBox[])>();
            foreach (var row in trial.Rows)
            {
                trial.Cancellation.ThrowIfCancellationRequested();
                var outputs = new Dictionary<string, float[]>();
                probe.Run(data.Row(row)[..data.Width].ToArray(), 1, (output, values) => outputs[output] = values.ToArray());
                images.Add((Boxes(find(outputs), "found", row), Boxes(truths(row), "there", row)));
            }

            var value = AveragePrecision.Of(images, overlap is { } one ? [one] : AveragePrecision.Overlaps, size);
            return new(value, double.IsNaN(value) ? "undefined: there is no object of that size" : null);
        }, LearningTask.All);
    }

    private static ObjectBox[] Boxes(IEnumerable<ObjectBox>? boxes, string what, int row)
        => boxes?.ToArray() ?? throw new ArgumentException($"Row {row}: there are no boxes of what is {what}, not even none.");
}
