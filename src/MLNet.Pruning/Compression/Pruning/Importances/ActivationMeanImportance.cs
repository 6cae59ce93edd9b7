using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Mean size of a unit's activation (Molchanov et al. 2017, "Pruning Convolutional Neural Networks for Resource Efficient Inference", "mean
/// activation"; behind a rectifier the size is the activation).
/// </summary>
internal sealed class ActivationMeanImportance(int rows) : ActivationImportance(nameof(ActivationMean), rows)
{
    protected override IEnumerable<Tensor> Moments(Tensor values) => [values.abs().sum(1)];

    protected override double Score(double[] means) => means[0];
}
