namespace MLNet.Pruning.Evaluation.Metrics.Confidence;

/// <summary>Distribution functions of the binomial and of Student's t, both by the regularised incomplete beta function.</summary>
internal static class Distributions
{
    private static readonly double[] s_lanczos =
    [
        0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
        12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ];

    /// <summary>Logarithm of the probability of so many successes.</summary>
    public static double LogBinomial(int successes, int trials, double probability) => probability is 0 or 1
        ? (successes == (probability == 0 ? 0 : trials) ? 0 : double.NegativeInfinity)
        : LogGamma(trials + 1) - LogGamma(successes + 1) - LogGamma(trials - successes + 1)
            + successes * Math.Log(probability) + (trials - successes) * Math.Log(1 - probability);

    /// <summary>The probability of at most so many successes.</summary>
    public static double Binomial(int successes, int trials, double probability)
        => successes < 0 ? 0 : successes >= trials ? 1 : Beta(1 - probability, trials - successes, successes + 1);

    /// <summary>The value below which Student's t lies with a probability of at least one half.</summary>
    public static double StudentQuantile(double probability, int freedom)
        => Root(t => 1 - Beta(freedom / (freedom + t * t), freedom / 2.0, 0.5) / 2 >= probability, 0, 1e6, 1e-9);

    /// <summary>The least number from which on a condition holds, or one that lies above it by no more than the precision.</summary>
    public static double Root(Func<double, bool> holds, double low, double high, double precision)
    {
        while (high - low > precision)
        {
            var middle = (low + high) / 2;
            (low, high) = holds(middle) ? (low, middle) : (middle, high);
        }

        return high;
    }

    /// <summary>The regularised incomplete beta function, by its continued fraction (DLMF 8.17.22) in Lentz's way.</summary>
    private static double Beta(double x, double a, double b)
    {
        if (x is <= 0 or >= 1)
        {
            return x <= 0 ? 0 : 1;
        }

        if (x > (a + 1) / (a + b + 2))
        {
            return 1 - Beta(1 - x, b, a);
        }

        const double Tiny = 1e-300;
        var (d, f, c) = (0.0, 1.0, 1.0);
        for (var i = 0; i < 10_000; i++)
        {
            double m = i / 2;
            var term = i == 0 ? 1
                : i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 + term * d;
            d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
            c = 1 + term / (Math.Abs(c) < Tiny ? Tiny : c);
            f *= c * d;
            if (Math.Abs(1 - c * d) < 1e-14)
            {
                break;
            }
        }

        return Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * Math.Log(x) + b * Math.Log(1 - x)) / a * (f - 1);
    }

    /// <summary>Lanczos (1964), to about fifteen digits for arguments of at least one half.</summary>
    private static double LogGamma(double x)
    {
        var (sum, at) = (s_lanczos[0], x - 1 + 7.5);
        for (var i = 1; i < s_lanczos.Length; i++)
        {
            sum += s_lanczos[i] / (x - 1 + i);
        }

        return Math.Log(2 * Math.PI) / 2 + (x - 0.5) * Math.Log(at) - at + Math.Log(sum);
    }
}
