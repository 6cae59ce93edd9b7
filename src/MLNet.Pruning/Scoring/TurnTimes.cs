using System.Diagnostics;

namespace MLNet.Pruning.Scoring;

/// <summary>How long several pieces of work take, timed in turns, so that other load on the machine hits all alike.</summary>
internal sealed class TurnTimes
{
    private readonly double[][] _times;

    /// <param name="times">Milliseconds of a run in each round, by piece of work.</param>
    public TurnTimes(double[][] times) => _times = times;

    /// <summary>Times networks in ONNX Runtime on rows of zeros.</summary>
    /// <param name="runs">The networks, rows in a run of each, and its threads.</param>
    /// <param name="cancellation">Ends the timing.</param>
    /// <exception cref="NotSupportedException">ONNX Runtime does not run one of them.</exception>
    public static TurnTimes Of(IReadOnlyList<(Network Network, int Batch, int Threads)> runs, CancellationToken cancellation)
    {
        var scorers = new List<OnnxScorer>();
        try
        {
            foreach (var (network, batch, threads) in runs)
            {
                scorers.Add(OnnxScorer.Create(network, softmax: false, batch, out var refusal, threads)
                    ?? throw new NotSupportedException($"The network cannot be timed: ONNX Runtime does not run it. {refusal}"));
                scorers[^1].Rows.AsSpan().Clear();
            }

            return Of([.. scorers.Zip(runs, (scorer, run) => (Action)(() => scorer.Run(run.Batch)))], cancellation);
        }
        finally
        {
            scorers.ForEach(scorer => scorer.Dispose());
        }
    }

    /// <summary>
    /// Times rounds in each of which every piece of work has a turn, after one to warm up. A turn's time is the median of its runs, few of which wait for
    /// another process, and turns go forth and back, so that none always follows the same other.
    /// </summary>
    /// <param name="work">One run of each.</param>
    /// <param name="cancellation">Ends the timing.</param>
    /// <param name="rounds">How many.</param>
    /// <param name="milliseconds">What a turn takes at least.</param>
    public static TurnTimes Of(IReadOnlyList<Action> work, CancellationToken cancellation, int rounds = 15, double milliseconds = 10)
    {
        foreach (var run in work)
        {
            Turn(run, milliseconds, cancellation);
        }

        var times = work.Select(_ => new double[rounds]).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            for (var turn = 0; turn < work.Count; turn++)
            {
                var i = round % 2 == 0 ? turn : work.Count - 1 - turn;
                times[i][round] = Turn(work[i], milliseconds, cancellation);
            }
        }

        return new(times);
    }

    /// <summary>Milliseconds of a run in the round that nothing else made longer: what differences of times are of.</summary>
    public double Least(int work) => _times[work].Min();

    /// <summary>Milliseconds of a run, the median of the rounds.</summary>
    public double Median(int work) => new RunTimes(_times[work]).Median;

    /// <summary>How long a run takes of what one of the first takes, the median of the rounds.</summary>
    public double OfFirst(int work) => new RunTimes(_times[work].Zip(_times[0], (time, first) => time / first)).Median;

    private static double Turn(Action run, double milliseconds, CancellationToken cancellation)
    {
        var times = new List<double>();
        var start = Stopwatch.GetTimestamp();
        do
        {
            cancellation.ThrowIfCancellationRequested();
            var before = Stopwatch.GetTimestamp();
            run();
            times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
        }
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds);

        return new RunTimes(times).Median;
    }
}
