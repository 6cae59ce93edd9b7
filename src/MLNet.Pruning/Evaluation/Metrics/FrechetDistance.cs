using MLNet.Pruning.Scoring;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.Pruning.Evaluation.Metrics;

/// <summary>
/// The squared Frechet distance of the normal distributions fitted to two sets of features (Dowson and Landau 1982; of images Heusel et al. 2017):
/// |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)).
/// </summary>
internal static class FrechetDistance
{
    /// <param name="a">Features, row after row; two rows at least.</param>
    /// <param name="b">The other set's.</param>
    /// <param name="width">Features of a row.</param>
    public static double Of(float[] a, float[] b, int width)
    {
        TorchRuntime.Require();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (meanA, covarianceA) = Moments(a, width);
        var (meanB, covarianceB) = Moments(b, width);
        // (C1 C2)^(1/2) has the trace of (R C2 R)^(1/2) with R = C1^(1/2), which is symmetric: no complex roots of a product that is not.
        var (values, vectors) = linalg.eigh(covarianceA);
        var root = vectors.mul(values.relu().sqrt()).matmul(vectors.t());
        var product = root.matmul(covarianceB).matmul(root);
        var apart = meanA.sub(meanB);
        return apart.mul(apart).sum().item<double>() + covarianceA.trace().item<double>() + covarianceB.trace().item<double>()
            - 2 * linalg.eigvalsh(product).relu().sqrt().sum().item<double>();
    }

    /// <summary>The mean, and the covariance over one less than the rows.</summary>
    private static (Tensor Mean, Tensor Covariance) Moments(float[] features, int width)
    {
        var rows = tensor(features, ScalarType.Float64).view(-1, width);
        using Scalar others = rows.shape[0] - 1.0;
        var mean = rows.mean([0L]);
        var centred = rows.sub(mean);
        return (mean, centred.t().matmul(centred).div(others));
    }
}
