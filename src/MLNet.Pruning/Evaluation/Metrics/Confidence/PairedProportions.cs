namespace MLNet.Pruning.Evaluation.Metrics.Confidence;

/// <summary>
/// An upper confidence bound on a loss of accuracy from paired rows: of so many rows, some were right before and are wrong after, some the other way
/// round. It inverts the exact unconditional test of a difference of paired proportions (Suissa and Shuster 1991), ordered by the studentised
/// difference; the share of rows that differ, of which the difference tells nothing, runs through its own confidence interval (Berger and Boos 1994).
/// It holds at any number of rows.
/// </summary>
internal static class PairedProportions
{
    /// <summary>The part of the error that is spent on the interval of the share of rows that differ.</summary>
    private const double NuisanceShare = 0.02;

    /// <summary>Shares of rows that differ at which the test is computed; the probability is smooth in them.</summary>
    private const int Grid = 8;

    /// <summary>Beyond so many standard deviations a binomial has no mass that matters.</summary>
    private const double Deviations = 6;

    /// <summary>To which bounds are computed, upwards.</summary>
    private const double Precision = 1e-6;

    /// <param name="rows">At least 1.</param>
    /// <param name="lost">Rows that were right before and are wrong after.</param>
    /// <param name="gained">Rows that were wrong before and are right after.</param>
    /// <param name="error">Probability that the bound lies below the true loss, at most.</param>
    /// <returns>In [-1, 1].</returns>
    public static double Upper(int rows, int lost, int gained, double error)
    {
        var (differ, spent) = (lost + gained, error * NuisanceShare);
        var (low, high) = (differ == 0 ? 0 : 1 - Limit(rows, rows - differ, spent / 2), Limit(rows, differ, spent / 2));
        return Distributions.Root(loss => spent + Probability(rows, lost, gained, loss, Math.Max(low, Math.Abs(loss)), high) <= error,
            (double)(lost - gained) / rows, 1, Precision);
    }

    /// <summary>
    /// At most the probability to see so small a difference where the loss is the one given, and the share of rows that differ one of those between.
    /// </summary>
    private static double Probability(int rows, int lost, int gained, double loss, double low, double high)
    {
        if (low > high)
        {
            return 0;
        }

        var statistic = (lost - gained - rows * loss) / Math.Sqrt(lost + gained + 1);
        var greatest = 0.0;
        for (var i = 0; i <= Grid; i++)
        {
            greatest = Math.Max(greatest, Tail(rows, loss, low + (high - low) * i / Grid, statistic));
        }

        return greatest;
    }

    /// <summary>Clopper and Pearson's upper limit of a probability.</summary>
    private static double Limit(int trials, int successes, double error)
        => successes == trials ? 1
            : Distributions.Root(probability => Distributions.Binomial(successes, trials, probability) <= error, (double)successes / trials, 1, Precision);

    /// <summary>The probability of a statistic no larger, where a share of the rows differs: over how many do, and how many of those are lost.</summary>
    private static double Tail(int rows, double loss, double share, double statistic)
    {
        if (share == 0)
        {
            return 0 <= statistic ? 1 : 0;
        }

        var (mean, deviation, ofThose) = (rows * share, Math.Sqrt(rows * share * (1 - share)), Math.Clamp((share + loss) / (2 * share), 0, 1));
        var (from, to) = ((int)Math.Max(0, mean - Deviations * deviation - Deviations), (int)Math.Min(rows, mean + Deviations * deviation + 4 * Deviations));
        var sum = 0.0;
        for (var differ = from; differ <= to; differ++)
        {
            var most = (int)Math.Floor((differ + rows * loss + statistic * Math.Sqrt(differ + 1)) / 2 + 1e-9);
            sum += Math.Exp(Distributions.LogBinomial(differ, rows, share)) * Distributions.Binomial(most, differ, ofThose);
        }

        return sum;
    }
}
