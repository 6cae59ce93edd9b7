using System.Diagnostics;

namespace MLNet.Pruning.Scoring;

/// <summary>How long runs of a batch took, in milliseconds.</summary>
internal sealed class RunTimes
{
    /// <summary>Enough for a median.</summary>
    public static readonly (int Runs, TimeSpan Least, TimeSpan Most) ForMedian = (31, TimeSpan.FromMilliseconds(50), TimeSpan.Zero);

    /// <summary>Enough for the tail: a thousand runs, or as many as two seconds have.</summary>
    public static readonly (int Runs, TimeSpan Least, TimeSpan Most) ForPercentiles = (1000, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));

    private const int WarmUps = 5;
    private const int LeastRuns = 31;

    private readonly double[] _sorted;

    /// <param name="times">One for each run; at least one.</param>
    public RunTimes(IEnumerable<double> times) => _sorted = [.. times.Order()];

    /// <summary>Times runs on rows of zeros, after a warm-up.</summary>
    /// <param name="scorer">What runs.</param>
    /// <param name="batch">Rows in a run.</param>
    /// <param name="until">At least 31 runs and the least time; then on until there are so many, or the most time is over.</param>
    /// <param name="cancellation">Ends the timing.</param>
    public static RunTimes Of(IBatchScorer scorer, int batch, (int Runs, TimeSpan Least, TimeSpan Most) until, CancellationToken cancellation)
    {
        scorer.Rows.AsSpan().Clear();
        for (var i = 0; i < WarmUps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            scorer.Run(batch);
        }

        var times = new List<double>();
        var start = Stopwatch.GetTimestamp();
        while (times.Count < LeastRuns || Stopwatch.GetElapsedTime(start) is var passed
            && (passed < until.Least || times.Count < until.Runs && passed < until.Most))
        {
            cancellation.ThrowIfCancellationRequested();
            var run = Stopwatch.GetTimestamp();
            scorer.Run(batch);
            times.Add(Stopwatch.GetElapsedTime(run).TotalMilliseconds);
        }

        return new(times);
    }

    public int Count => _sorted.Length;

    public double Mean => _sorted.Average();

    public double Median => _sorted[_sorted.Length / 2];

    /// <summary>The time that a share of the runs stays within.</summary>
    public double Percentile(double share) => Percentile(_sorted, share);

    /// <summary>Between the two nearest values in proportion, as NumPy does it by default.</summary>
    /// <param name="sorted">The values, the least first.</param>
    /// <param name="share">In [0, 1].</param>
    public static double Percentile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var (below, above) = ((int)Math.Floor(place), (int)Math.Ceiling(place));
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
