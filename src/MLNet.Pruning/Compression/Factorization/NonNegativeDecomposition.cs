using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Factorization;

/// <summary>
/// A matrix without negative values as a product of two such matrices (Lee &amp; Seung 2001, "Algorithms for Non-negative Matrix Factorization"), from the
/// positive parts of its singular vectors (Boutsidis &amp; Gallopoulos 2008, "SVD Based Initialization"). What a rank keeps is estimated by its singular
/// values, which keep more.
/// </summary>
internal sealed class NonNegativeDecomposition(MatrixForm form, Tensor matrix, Tensor directions, double[] values, int iterations)
    : MatrixDecomposition(form, matrix, directions, values)
{
    private const double Least = 1e-12;

    public override Factors Compute(ImmutableArray<int> ranks, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using Scalar least = Least;
        var (left, right) = Start(ranks[0]);
        for (var iteration = 0; iteration < iterations; iteration++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var round = NewDisposeScope();
            var nextRight = right * left.t().matmul(Matrix) / left.t().matmul(left).matmul(right).clamp_min(least);
            var nextLeft = left * Matrix.matmul(nextRight.t()) / left.matmul(nextRight.matmul(nextRight.t())).clamp_min(least);
            (left, right) = (nextLeft.MoveToOuterDisposeScope(), nextRight.MoveToOuterDisposeScope());
        }

        var (lost, all) = (TuckerDecomposition.Energy(Matrix - left.matmul(right)), TuckerDecomposition.Energy(Matrix));
        return new(Form.Write(left, right), all > 0 ? 1 - lost / all : 1);
    }

    /// <summary>Of each pair of singular vectors the larger one of their positive and their negative parts; where both are zero a little.</summary>
    private (Tensor Left, Tensor Right) Start(int rank)
    {
        using Scalar zero = 0.0, least = Math.Max(Least, Matrix.mean().data<double>()[0] / rank / 100);
        var left = Directions.narrow(1, 0, rank);
        var right = left.t().matmul(Matrix);
        var (up, down) = (Parts(left, right), Parts(-left, -right));
        var isUp = tensor(up.Size.Zip(down.Size, (one, other) => one >= other).ToArray());
        // Products never make a zero another number: none is left at the start.
        return (where(isUp, up.Left, down.Left).clamp_min(least), where(isUp.unsqueeze(1), up.Right, down.Right).clamp_min(least));

        (Tensor Left, Tensor Right, double[] Size) Parts(Tensor left, Tensor right)
        {
            var (u, v) = (left.clamp_min(zero), right.clamp_min(zero));
            return (u, v, [.. (u.norm(0) * v.norm(1)).data<double>()]);
        }
    }
}
