using MLNet.Pruning.Scoring;

namespace MLNet.Pruning.Cli.Commands;

/// <summary>A measurement that was repeated.</summary>
/// <param name="Median">Its median.</param>
/// <param name="P10">10th percentile.</param>
/// <param name="P90">90th percentile.</param>
internal sealed record Spread(double Median, double P10, double P90)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new(RunTimes.Percentile(sorted, 0.5), RunTimes.Percentile(sorted, 0.1), RunTimes.Percentile(sorted, 0.9));
    }

    public override string ToString() => $"{Cells.Number(Median, "G4")} ({Cells.Number(P10, "G4")} to {Cells.Number(P90, "G4")})";
}
