using System.Diagnostics;

namespace MLNet.Pruning.Scoring;

/// <summary>How long a batch takes on this machine.</summary>
internal static class NetworkTimer
{
    private const int WarmUps = 5;
    private const int LeastRuns = 31;
    private static readonly TimeSpan s_leastTime = TimeSpan.FromMilliseconds(50);

    /// <summary>The median of at least 31 runs and 50 milliseconds, after a warm-up.</summary>
    public static double Milliseconds(Network network, int batch, CancellationToken cancellation)
    {
        if (network.Inputs.Sum(input => (long)input.RowSize) * batch > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(nameof(batch), batch,
                $"A batch of {batch:N0} rows is larger than the {Array.MaxLength:N0} values that an array holds.");
        }

        using var scorer = Scorer.Create(network, softmax: false, batch);
        scorer.Rows.AsSpan().Clear();
        for (var i = 0; i < WarmUps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            scorer.Run(batch);
        }

        var times = new List<double>();
        for (var start = Stopwatch.GetTimestamp(); times.Count < LeastRuns || Stopwatch.GetElapsedTime(start) < s_leastTime;)
        {
            cancellation.ThrowIfCancellationRequested();
            var run = Stopwatch.GetTimestamp();
            scorer.Run(batch);
            times.Add(Stopwatch.GetElapsedTime(run).TotalMilliseconds);
        }

        times.Sort();
        return times[times.Count / 2];
    }
}
