using System.Diagnostics;

namespace MLNet.Pruning.Scoring;

/// <summary>How long a batch takes on this machine.</summary>
internal static class NetworkTimer
{
    private const int WarmUps = 5;
    private const int LeastRuns = 31;

    /// <summary>The median of at least 31 runs and 50 milliseconds, after a warm-up.</summary>
    public static double Milliseconds(Network network, int batch, CancellationToken cancellation)
        => Time(network, batch, RunTimes.ForMedian, cancellation).Median;

    /// <summary>Times runs on rows of zeros, after a warm-up.</summary>
    /// <param name="network">The network, with values.</param>
    /// <param name="batch">Rows in a run.</param>
    /// <param name="until">
    /// At least 31 runs and the least time; then on until there are so many, or the most time is over.
    /// </param>
    /// <param name="cancellation">Ends the timing.</param>
    /// <param name="gpu">The GPU that scores; null for the CPU.</param>
    public static RunTimes Time(Network network, int batch, (int Runs, TimeSpan Least, TimeSpan Most) until, CancellationToken cancellation, int? gpu = null)
    {
        if (network.Inputs.Sum(input => (long)input.RowSize) * batch > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(batch), batch,
                $"A batch of {batch:N0} rows is larger than the {Array.MaxLength:N0} values that an array holds.");
        }

        using var scorer = Scorer.Create(network, softmax: false, batch, gpu);
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
}
