namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>What optimal brain surgeon and its kin minimise, solved plainly: half of d' H d over the units of a layer.</summary>
/// <param name="rows">Rows that the layer reads.</param>
/// <param name="damping">Added to the diagonal, as a share of its mean.</param>
internal sealed class LeastSquares(float[][] rows, double damping)
{
    public double[][] Moments { get; } = Measured(rows, damping);

    /// <summary>The least error of a unit that keeps some of its inputs, and its weights.</summary>
    public (double Error, double[] Weights) Least(double[] weights, IReadOnlyCollection<int> kept)
    {
        int[] stays = [.. kept], gone = [.. Enumerable.Range(0, weights.Length).Except(kept)];
        var change = Solved([.. stays.Select(i => stays.Select(j => Moments[i][j]).Append(gone.Sum(j => Moments[i][j] * weights[j])).ToArray())]);
        var found = new double[weights.Length];
        for (var i = 0; i < stays.Length; i++)
        {
            found[stays[i]] = weights[stays[i]] + change[i];
        }

        return (Error([.. found.Zip(weights, (a, b) => a - b)]), found);
    }

    /// <summary>The least error of all units.</summary>
    public double Least(double[][] units, IReadOnlyCollection<int> kept) => units.Sum(unit => Least(unit, kept).Error);

    public double Error(double[] change) => 0.5 * change.Select((a, i) => a * change.Select((b, j) => b * Moments[i][j]).Sum()).Sum();

    /// <summary>Units of a layer that is stored units x inputs.</summary>
    public static double[][] Units(Parameter weight)
        => [.. weight.Values.ToArray().Select(value => (double)value).Chunk(weight.Count / weight.Shape[0])];

    /// <summary>By elimination, in place; the right side is the last column.</summary>
    public static double[] Solved(double[][] system)
    {
        for (var i = 0; i < system.Length; i++)
        {
            foreach (var row in system.Where(row => row != system[i]))
            {
                var factor = row[i] / system[i][i];
                for (var k = i; k < row.Length; k++)
                {
                    row[k] -= factor * system[i][k];
                }
            }
        }

        return [.. system.Select((row, i) => row[^1] / row[i])];
    }

    private static double[][] Measured(float[][] rows, double damping)
    {
        var size = rows[0].Length;
        double[][] moments = [.. Enumerable.Range(0, size).Select(a
            => Enumerable.Range(0, size).Select(b => rows.Average(row => (double)row[a] * row[b])).ToArray())];
        var mean = moments.Select((row, i) => row[i]).Average();
        for (var i = 0; i < size; i++)
        {
            moments[i][i] += damping * mean;
        }

        return moments;
    }
}
