using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Structure.Granularities;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Recoveries;

/// <summary>
/// The matrix of low rank that is nearest to another at those of its entries that are dropped; at the others it may be anything. Found by filling
/// those with the fit and fitting again (Srebro &amp; Jaakkola 2003, "Weighted Low-Rank Approximations", section 4), one step of subspace iteration
/// each time. The error at the dropped entries falls with every round.
/// </summary>
internal static class LowRankFit
{
    private const int Rounds = 300;
    private const int FirstRounds = 20;
    private const double Settled = 1e-9;

    /// <summary>A row of numbers for each row and for each column of the matrix, whose products are the fit.</summary>
    /// <param name="matrix">What the weight is as a matrix.</param>
    /// <param name="values">Its values.</param>
    /// <param name="mask">False where it is to be fitted.</param>
    /// <param name="rank">At most the smaller of its sizes.</param>
    /// <param name="cancellation">Ends it.</param>
    public static (float[][] U, float[][] V) Fit(WeightMatrix matrix, float[] values, WeightMask mask, int rank, CancellationToken cancellation = default)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using Scalar one = 1.0;
        var (all, free) = (new double[values.Length], new double[values.Length]);
        for (var row = 0; row < matrix.Rows; row++)
        {
            for (var column = 0; column < matrix.Columns; column++)
            {
                var place = matrix.Place(row, column);
                (all[row * matrix.Columns + column], free[row * matrix.Columns + column]) = (values[place], mask[place] ? 1 : 0);
            }
        }

        var target = tensor(all, [matrix.Rows, matrix.Columns]);
        var open = tensor(free, [matrix.Rows, matrix.Columns]);
        var random = new Random(0);
        var columns = tensor([.. Enumerable.Range(0, matrix.Columns * rank).Select(_ => random.NextDouble() - 0.5)], [matrix.Columns, rank]);
        var (filled, error) = (target, double.PositiveInfinity);
        var rows = columns;
        for (var round = 0; round < Rounds; round++)
        {
            using var inner = NewDisposeScope();
            rows = Orthonormal(filled.matmul(columns), cancellation);
            columns = filled.t().matmul(rows);
            var difference = rows.matmul(columns.t()) - target;
            var kept = difference * open;
            var left = (difference - kept).norm().cpu().data<double>()[0];
            if (round >= FirstRounds)
            {
                filled = target.add(kept, one).MoveToOuterDisposeScope();
            }

            (rows, columns) = (rows.MoveToOuterDisposeScope(), columns.MoveToOuterDisposeScope());
            if (round > FirstRounds && error - left <= Settled * error)
            {
                break;
            }

            error = left;
        }

        return Balanced(InputMoments.Rows(rows, 1), InputMoments.Rows(columns, 1));
    }

    /// <summary>The columns made orthonormal, twice over for the sake of rounding; a column that lies in the span of those before it becomes zero.</summary>
    private static Tensor Orthonormal(Tensor matrix, CancellationToken cancellation)
    {
        var columns = InputMoments.Rows(matrix.t(), 1);
        for (var k = 0; k < columns.Length; k++)
        {
            cancellation.ThrowIfCancellationRequested();
            var before = Norm(columns[k]);
            for (var pass = 0; pass < 2; pass++)
            {
                for (var j = 0; j < k; j++)
                {
                    PositiveDefinite.Subtract(columns[k], columns[j], columns[k].Zip(columns[j], (a, b) => a * b).Sum());
                }
            }

            var norm = Norm(columns[k]);
            columns[k] = norm > 1e-12 * before ? Array.ConvertAll(columns[k], value => value / norm) : new double[columns[k].Length];
        }

        return tensor([.. columns.SelectMany(column => column)], [columns.Length, columns[0].Length]).t().contiguous();
    }

    private static double Norm(double[] vector) => Math.Sqrt(vector.Sum(value => value * value));

    /// <summary>Both factors of the same size, direction by direction, so that both train at the same pace.</summary>
    private static (float[][] U, float[][] V) Balanced(double[][] rows, double[][] columns)
    {
        double[] scales = [.. Enumerable.Range(0, rows[0].Length).Select(r => Math.Sqrt(Norm([.. columns.Select(column => column[r])])))];
        return ([.. rows.Select(row => row.Select((value, r) => (float)(value * scales[r])).ToArray())],
            [.. columns.Select(column => column.Select((value, r) => scales[r] > 0 ? (float)(value / scales[r]) : 0f).ToArray())]);
    }
}
