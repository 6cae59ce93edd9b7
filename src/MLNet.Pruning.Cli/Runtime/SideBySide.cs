using System.Diagnostics;

namespace MLNet.Pruning.Cli.Runtime;

/// <summary>Times two pieces of work in turns, so that other load on the machine hits both alike.</summary>
internal static class SideBySide
{
    private const double SecondsOfRound = 0.05;

    /// <summary>Seconds of one run of each, by round.</summary>
    /// <param name="a">One run of the first.</param>
    /// <param name="b">One run of the second.</param>
    /// <param name="rounds">Rounds, after one to warm up.</param>
    /// <param name="progress">Called after each round.</param>
    public static (double[] A, double[] B) Measure(Action a, Action b, int rounds, Action<int> progress)
    {
        var (repeatsA, repeatsB) = (WarmUp(a), WarmUp(b));
        var (timesA, timesB) = (new double[rounds], new double[rounds]);
        for (var round = 0; round < rounds; round++)
        {
            timesA[round] = Seconds(a, repeatsA);
            timesB[round] = Seconds(b, repeatsB);
            progress(round + 1);
        }

        return (timesA, timesB);
    }

    /// <summary>Runs for as long as a round takes and gives the number of runs.</summary>
    private static int WarmUp(Action action)
    {
        var runs = 0;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < SecondsOfRound; runs++)
        {
            action();
        }

        return runs;
    }

    private static double Seconds(Action action, int repeats)
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < repeats; i++)
        {
            action();
        }

        return watch.Elapsed.TotalSeconds / repeats;
    }
}
