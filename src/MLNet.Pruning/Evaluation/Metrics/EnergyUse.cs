using System.Diagnostics;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Scoring.Native;
using MLNet.Pruning.Scoring.Runtimes;

namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>What it takes to score a row on this machine's processor or GPU.</summary>
/// <param name="Joules">Of one row.</param>
/// <param name="Source">How that is known.</param>
internal readonly record struct EnergyUse(double Joules, string Source)
{
    /// <summary>Half of the 85 W that CodeCarbon takes an unknown processor's design power to be, of which it takes half to be used.</summary>
    public const double DefaultWatts = 42.5;

    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Runs batches for a second, and reads the machine's counters before and after; where there are none, takes the time for a power that is given.
    /// </summary>
    /// <param name="plan">What scores.</param>
    /// <param name="batch">Rows in a run.</param>
    /// <param name="watts">What the machine draws where nothing says it.</param>
    /// <param name="folder">Where the processor's counters are.</param>
    /// <param name="gpu">The GPU that scores; null for the processor.</param>
    /// <param name="cancellation">Ends the runs.</param>
    public static EnergyUse Of(ScoringPlan plan, int batch, double watts, string folder, int? gpu, CancellationToken cancellation)
    {
        using var scorer = plan.Create(softmax: false, batch, gpu);
        scorer.Rows.AsSpan().Clear();
        scorer.Run(batch);
        string? refusal;
        IEnergyCounters? counters = gpu is { } number ? GpuCounters.Open(number, out refusal) : PowerCounters.Open(folder, out refusal);
        return Of(() =>
        {
            cancellation.ThrowIfCancellationRequested();
            scorer.Run(batch);
        }, batch, watts, counters, refusal, s_time);
    }

    /// <summary>Does some work on rows again and again.</summary>
    /// <param name="work">The work.</param>
    /// <param name="rows">Rows that it is done on.</param>
    /// <param name="watts">What the machine draws where nothing says it.</param>
    /// <param name="counters">What says how much it takes; null for none.</param>
    /// <param name="refusal">Why there are none; null else.</param>
    /// <param name="least">How long it is done.</param>
    public static EnergyUse Of(Action work, int rows, double watts, IEnergyCounters? counters, string? refusal, TimeSpan least)
    {
        var before = counters?.Read();
        var (runs, start) = (0L, Stopwatch.GetTimestamp());
        do
        {
            work();
            runs++;
        }
        while (Stopwatch.GetElapsedTime(start) < least);

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return counters is not null
            ? new(counters.Joules(before!, counters.Read()) / (runs * rows), counters.Source)
            : new(watts * seconds / (runs * rows), string.Create(CultureInfo.InvariantCulture,
                $"estimated: {watts} W{(watts == DefaultWatts ? " (half of 85 W, CodeCarbon's for an unknown processor)" : "")} for the time it takes; "
                + $"{refusal}"));
    }
}
