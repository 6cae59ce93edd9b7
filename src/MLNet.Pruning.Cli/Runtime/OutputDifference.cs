namespace MLNet.Pruning.Cli.Runtime;

/// <summary>How far two models are apart on one of their outputs.</summary>
/// <param name="Output">Its name.</param>
/// <param name="Values">Values compared.</param>
/// <param name="MaxAbsolute">Largest absolute difference.</param>
/// <param name="MaxRelative">The same over the largest absolute value of either.</param>
/// <param name="Largest">Largest absolute value of either.</param>
internal sealed record OutputDifference(string Output, long Values, double MaxAbsolute, double MaxRelative, double Largest)
{
    public static OutputDifference Of(string output, IEnumerable<(double A, double B)> pairs)
    {
        var (values, difference, largest) = (0L, 0.0, 0.0);
        foreach (var (a, b) in pairs)
        {
            values++;
            difference = Math.Max(difference, Apart(a, b));
            largest = Math.Max(largest, Math.Max(Finite(a), Finite(b)));
        }

        return new(output, values, difference, difference == 0 ? 0 : difference / largest, largest);
    }

    public OutputDifference With(OutputDifference other)
    {
        var (difference, largest) = (Math.Max(MaxAbsolute, other.MaxAbsolute), Math.Max(Largest, other.Largest));
        return new(Output, Values + other.Values, difference, difference == 0 ? 0 : difference / largest, largest);
    }

    // Equal infinities, and two that are not a number, agree; one that is not against one that is differs beyond any tolerance.
    private static double Apart(double a, double b) => a.Equals(b) ? 0 : Math.Abs(a - b) is var apart && double.IsNaN(apart) ? double.PositiveInfinity : apart;

    private static double Finite(double value) => double.IsFinite(value) ? Math.Abs(value) : 0;
}
