using System.Diagnostics;
using System.Globalization;

namespace MLNet.Pruning.Benchmarks;

/// <summary>
/// One round of the selection, in a process of its own: prints seconds of pruning, seconds of pruning made permanent, and the peaks of memory of both.
/// </summary>
internal static class SelectionRound
{
    public const string Name = "selection-round";
    private static readonly Amount s_amount = Amount.Fraction(0.95);

    public static void Run(long weights, int repeats)
    {
        WarmUp();
        var network = FourLayers(weights).Initialize(1);
        GC.Collect();
        var masks = PeakMemory.Above(() => network.Prune(s_amount));
        var seconds = Seconds(() => network.Prune(s_amount), repeats);
        GC.Collect();
        var permanent = PeakMemory.Above(() => _ = network.Prune(s_amount).Network);
        var permanentSeconds = Seconds(() => _ = network.Prune(s_amount).Network, repeats);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds} {permanentSeconds} {masks} {permanent}"));
    }

    /// <summary>Four square layers of so many weights in all, to the nearest number of units.</summary>
    public static Network FourLayers(long weights)
    {
        var side = (int)Math.Round(Math.Sqrt(weights / 4.0));
        return Network.Mlp(side, side, side, side, side);
    }

    /// <summary>Until the code is compiled for good.</summary>
    private static void WarmUp()
    {
        var network = FourLayers(1_000_000).Initialize(1);
        for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < 1;)
        {
            _ = network.Prune(s_amount).Network;
        }
    }

    private static double Seconds(Action action, int repeats) => Comparison.Median(Enumerable.Range(0, repeats).Select(_ =>
    {
        var watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    }));
}
