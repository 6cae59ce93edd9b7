namespace MLNet.Pruning.Compression.Quantization;

/// <summary>Groups of numbers by their means: each number is nearest to the mean of its own (Lloyd 1982).</summary>
internal static class KMeans
{
    private const int Most = 1000;

    /// <summary>The means, ascending; those that no number is nearest to stay where they are.</summary>
    /// <param name="numbers">Ascending.</param>
    /// <param name="start">The means to start from.</param>
    /// <param name="cancellation">Looked at in each round.</param>
    public static double[] Fit(float[] numbers, double[] start, CancellationToken cancellation)
    {
        var sums = new double[numbers.Length + 1];
        for (var i = 0; i < numbers.Length; i++)
        {
            sums[i + 1] = sums[i] + numbers[i];
        }

        double[] means = [.. start.Order()];
        for (var round = 0; round < Most; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (next, from) = (new double[means.Length], 0);
            for (var k = 0; k < means.Length; k++)
            {
                var to = k == means.Length - 1 ? numbers.Length : FirstAbove(numbers, (means[k] + means[k + 1]) / 2, from);
                next[k] = to > from ? (sums[to] - sums[from]) / (to - from) : means[k];
                from = to;
            }

            if (next.AsSpan().SequenceEqual(means))
            {
                break;
            }

            Array.Sort(means = next);
        }

        return means;
    }

    private static int FirstAbove(float[] numbers, double limit, int from)
    {
        var to = numbers.Length;
        while (from < to)
        {
            var middle = (from + to) / 2;
            (from, to) = numbers[middle] <= limit ? (middle + 1, to) : (from, middle);
        }

        return from;
    }
}
