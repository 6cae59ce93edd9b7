using System.Numerics;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Symmetric positive definite systems, by Cholesky's factors: rows of the lower triangle.</summary>
internal static class PositiveDefinite
{
    private const int SmallestParallel = 256;

    /// <summary>Rows that a thread takes at a time.</summary>
    private const int PartLength = 64;

    /// <summary>The lower factor L of A = L L'. Cost: n^3 / 6 multiply-adds.</summary>
    /// <param name="matrix">At least the lower triangle; not changed.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="InvalidOperationException">The matrix is not positive definite.</exception>
    public static double[][] Factor(double[][] matrix, CancellationToken cancellation = default)
    {
        double[][] lower = [.. matrix.Select((row, i) => row[..(i + 1)])];
        for (var j = 0; j < lower.Length; j++)
        {
            var row = lower[j];
            var pivot = row[j] - Dot(row, row, j);
            var root = row[j] = pivot > 0 ? Math.Sqrt(pivot) : throw new InvalidOperationException(
                $"The second moments of a layer's inputs are not positive definite (pivot {j} is {pivot}): raise the damping.");
            For(j + 1, lower.Length, cancellation, i => lower[i][j] = (lower[i][j] - Dot(lower[i], row, j)) / root);
        }

        return lower;
    }

    /// <summary>Solves L L' x = b in place.</summary>
    public static void Solve(double[][] lower, double[] b, CancellationToken cancellation = default) => Solve(lower, b, 0, cancellation);

    /// <summary>The inverse of L L'. Cost: n^3 / 3 multiply-adds.</summary>
    public static double[][] Invert(double[][] lower, CancellationToken cancellation = default)
    {
        double[][] inverse = [.. lower.Select((_, i) => new double[lower.Length])];
        For(0, lower.Length, cancellation, i =>
        {
            inverse[i][i] = 1;
            Solve(lower, inverse[i], i, cancellation);
        });
        for (var i = 0; i < lower.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var j = 0; j < i; j++)
            {
                inverse[i][j] = inverse[j][i];
            }
        }

        return inverse;
    }

    /// <summary>The columns of a lower triangle, each from the diagonal down.</summary>
    public static double[][] Columns(double[][] lower, CancellationToken cancellation = default) => [.. lower.Select((_, j) =>
    {
        cancellation.ThrowIfCancellationRequested();
        return lower[j..].Select(row => row[j]).ToArray();
    })];

    /// <summary>Takes a multiple of a vector from another.</summary>
    public static void Subtract(Span<double> from, ReadOnlySpan<double> vector, double factor)
    {
        var i = 0;
        for (; i <= from.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            (new Vector<double>(from[i..]) - new Vector<double>(vector[i..]) * factor).CopyTo(from[i..]);
        }

        for (; i < from.Length; i++)
        {
            from[i] -= vector[i] * factor;
        }
    }

    /// <summary>Solves for the unknowns from a first one on; before it the right side is zero.</summary>
    private static void Solve(double[][] lower, double[] b, int first, CancellationToken cancellation)
    {
        for (var i = first; i < lower.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            b[i] = (b[i] - Dot(lower[i].AsSpan(first), b.AsSpan(first), i - first)) / lower[i][i];
        }

        for (var i = lower.Length - 1; i >= first; i--)
        {
            cancellation.ThrowIfCancellationRequested();
            b[i] /= lower[i][i];
            Subtract(b.AsSpan(first, i - first), lower[i].AsSpan(first), b[i]);
        }
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int count)
    {
        var (sum, i) = (Vector<double>.Zero, 0);
        for (; i <= count - Vector<double>.Count; i += Vector<double>.Count)
        {
            sum += new Vector<double>(a[i..]) * new Vector<double>(b[i..]);
        }

        var total = Vector.Sum(sum);
        for (; i < count; i++)
        {
            total += a[i] * b[i];
        }

        return total;
    }

    private static void For(int from, int to, CancellationToken cancellation, Action<int> action)
    {
        cancellation.ThrowIfCancellationRequested();
        if (to - from >= SmallestParallel)
        {
            PartLoop.Run((to - from + PartLength - 1) / PartLength, part =>
            {
                var first = from + (part * PartLength);
                for (var i = first; i < Math.Min(to, first + PartLength); i++)
                {
                    action(i);
                }
            }, cancellation);
            return;
        }

        for (var i = from; i < to; i++)
        {
            action(i);
        }
    }
}
