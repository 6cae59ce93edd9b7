using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Variance of a unit's activation: one that hardly varies can be replaced by a bias (Molchanov et al. 2017, "Pruning Convolutional Neural
/// Networks for Resource Efficient Inference", whose standard deviation gives the same order).
/// </summary>
internal sealed class ActivationVarianceImportance(int rows) : ActivationImportance(nameof(ActivationVariance), rows)
{
    protected override IEnumerable<Tensor> Moments(Tensor values) => [values.sum(1), (values * values).sum(1)];

    protected override double Score(double[] means) => Math.Max(0, means[1] - means[0] * means[0]);
}
