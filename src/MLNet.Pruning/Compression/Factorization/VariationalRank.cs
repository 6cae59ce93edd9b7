using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>
/// The rank of a matrix of low rank under noise of unknown size, by empirical variational Bayes, whose global solution is known in closed form but for the
/// size of the noise, a minimum along a line (Nakajima et al. 2013, "Global Analytic Solution of Fully-observed Variational Bayesian Matrix Factorization").
/// </summary>
internal static class VariationalRank
{
    private const int Steps = 400;
    private const int Sections = 60;

    public static int Of(Tensor matrix)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (Math.Min(matrix.shape[0], matrix.shape[1]), Math.Max(matrix.shape[0], matrix.shape[1]));
        return Of([.. linalg.svdvals(matrix).data<double>().ToArray().Select(value => value * value)], rows, columns);
    }

    /// <summary>The rank of a matrix of so many rows, at most as many as columns, by the squares of its singular values, falling.</summary>
    public static int Of(double[] squares, long rows, long columns)
    {
        var ratio = (double)rows / columns;
        // Below a threshold that depends on the ratio alone noise by itself has such values: the paper's approximation of it.
        var bound = 2.5129 * Math.Sqrt(ratio);
        var least = (1 + bound) * (1 + ratio / bound);
        var all = squares.Sum();
        if (!(all > 0))
        {
            return 0;
        }

        // Between what leaves room for no more values than can rise above noise, and all being noise.
        var most = Math.Clamp((int)Math.Ceiling(rows / (1 + ratio)) - 1, 0, squares.Length - 1);
        var low = Math.Max(squares[Math.Min(most, squares.Length - 1)] / (columns * least), squares[most..].Average() / columns);
        var high = all / (rows * columns);
        // A matrix without noise has none to measure.
        low = Math.Max(low, high * 1e-12);
        var noise = low >= high ? high : Minimum(variance => Energy(variance, squares, rows, columns, ratio, least), low, high);
        return squares.Count(square => square > columns * noise * least);
    }

    /// <summary>The free energy at a size of the noise, but for constants.</summary>
    private static double Energy(double variance, double[] squares, long rows, long columns, double ratio, double least)
    {
        var sum = (rows - squares.Length) * Math.Log(variance);
        foreach (var square in squares)
        {
            var x = square / (columns * variance);
            if (x <= least)
            {
                sum += x - Math.Log(Math.Max(x, double.Epsilon));
                continue;
            }

            var rest = x - (1 + ratio);
            var tau = (rest + Math.Sqrt(rest * rest - 4 * ratio)) / 2;
            sum += x - tau + Math.Log((tau + 1) / x) + ratio * Math.Log(tau / ratio + 1);
        }

        return sum;
    }

    /// <summary>The best of a grid on a logarithmic scale, then by golden sections between its neighbours.</summary>
    private static double Minimum(Func<double, double> function, double low, double high)
    {
        double At(double place) => low * Math.Pow(high / low, place);
        var best = Enumerable.Range(0, Steps + 1).MinBy(step => function(At((double)step / Steps)));
        var (from, to) = (Math.Max(0, best - 1.0) / Steps, Math.Min(Steps, best + 1.0) / Steps);
        var share = (Math.Sqrt(5) - 1) / 2;
        for (var i = 0; i < Sections; i++)
        {
            var (left, right) = (to - share * (to - from), from + share * (to - from));
            (from, to) = function(At(left)) <= function(At(right)) ? (from, right) : (left, to);
        }

        return At((from + to) / 2);
    }
}
