namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>
/// The mean average precision of object detection in the definition of COCO (Lin et al. 2014, and its evaluation code): of each image the 100 surest of a
/// class; each takes the object it overlaps most of those left; precision at 101 recalls, each the best at that recall or above; the mean over recalls,
/// overlaps and classes with objects.
/// </summary>
internal static class AveragePrecision
{
    private const int MostInImage = 100;
    private const int Recalls = 101;

    /// <summary>The overlaps that COCO takes the mean over: 0.50, 0.55, ..., 0.95.</summary>
    public static readonly double[] Overlaps = [.. Enumerable.Range(0, 10).Select(step => 0.5 + 0.05 * step)];

    private static readonly (double Least, double Most)[] s_sizes = [(0, 1e10), (0, 32 * 32), (32 * 32, 96 * 96), (96 * 96, 1e10)];

    /// <param name="images">Of each image what is found, and what is there.</param>
    /// <param name="overlaps">Overlaps from which on a find counts.</param>
    /// <param name="size">Which objects are measured on.</param>
    /// <returns>Not a number where there is no object to measure on.</returns>
    public static double Of(IReadOnlyList<(ObjectBox[] Found, ObjectBox[] There)> images, double[] overlaps, ObjectSize size)
    {
        var range = s_sizes[(int)size];
        var classes = images.SelectMany(image => image.There).Select(box => box.Class).Distinct().Order();
        return classes.SelectMany(index => overlaps.Select(overlap => OfClass(images, index, overlap, range))).Where(value => !double.IsNaN(value))
            .DefaultIfEmpty(double.NaN).Average();
    }

    private static double OfClass(IReadOnlyList<(ObjectBox[] Found, ObjectBox[] There)> images, int index, double overlap, (double, double) range)
    {
        var finds = new List<(double Score, bool IsRight)>();
        var objects = 0;
        foreach (var (found, there) in images)
        {
            ObjectBox[] truths = [.. there.Where(box => box.Class == index).OrderBy(box => IsIgnored(box, range))];
            objects += truths.Count(box => !IsIgnored(box, range));
            finds.AddRange(Match([.. found.Where(box => box.Class == index).OrderByDescending(box => box.Score).Take(MostInImage)], truths, overlap, range));
        }

        return objects == 0 ? double.NaN : Area([.. finds.OrderByDescending(find => find.Score).Select(find => find.IsRight)], objects);
    }

    /// <summary>The finds that count, the surest first: which are right.</summary>
    /// <param name="found">What is found, the surest first.</param>
    /// <param name="truths">What is there, the ignored last.</param>
    /// <param name="overlap">Overlap from which on a find counts.</param>
    /// <param name="range">Least and largest size.</param>
    private static IEnumerable<(double Score, bool IsRight)> Match(ObjectBox[] found, ObjectBox[] truths, double overlap, (double, double) range)
    {
        var isTaken = new bool[truths.Length];
        foreach (var find in found)
        {
            // COCO's own slack: an overlap of 1 less a little is whole.
            var (best, match) = (Math.Min(overlap, 1 - 1e-10), -1);
            for (var i = 0; i < truths.Length; i++)
            {
                if (isTaken[i] && !truths[i].IsCrowd)
                {
                    continue;
                }

                // One that counts is taken before any that is ignored, and those come last.
                if (match >= 0 && !IsIgnored(truths[match], range) && IsIgnored(truths[i], range))
                {
                    break;
                }

                if (find.Overlap(truths[i]) is var common && common >= best)
                {
                    (best, match) = (common, i);
                }
            }

            if (match >= 0)
            {
                isTaken[match] = true;
                if (!IsIgnored(truths[match], range))
                {
                    yield return (find.Score, true);
                }
            }
            else if (IsWithin(find.Width * find.Height, range))
            {
                yield return (find.Score, false);
            }
        }
    }

    /// <summary>The mean over recalls of the best precision at each or above; 0 at recalls that are not reached.</summary>
    private static double Area(bool[] isRight, int objects)
    {
        var (precisions, recalls) = (new double[isRight.Length], new double[isRight.Length]);
        var right = 0;
        for (var i = 0; i < isRight.Length; i++)
        {
            right += isRight[i] ? 1 : 0;
            (precisions[i], recalls[i]) = ((double)right / (i + 1), (double)right / objects);
        }

        for (var i = precisions.Length - 1; i > 0; i--)
        {
            precisions[i - 1] = Math.Max(precisions[i - 1], precisions[i]);
        }

        return Enumerable.Range(0, Recalls).Average(step =>
        {
            var first = Array.FindIndex(recalls, recall => recall >= step / (Recalls - 1.0));
            return first < 0 ? 0 : precisions[first];
        });
    }

    private static bool IsIgnored(ObjectBox truth, (double, double) range) => truth.IsCrowd || !IsWithin(truth.Size, range);

    private static bool IsWithin(double size, (double Least, double Most) range) => size >= range.Least && size <= range.Most;
}
