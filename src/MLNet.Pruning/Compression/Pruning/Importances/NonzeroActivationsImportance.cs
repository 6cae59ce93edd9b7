using static TorchSharp.torch;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>Share of a unit's activations that are not zero: one less the average percentage of zeros (Hu et al. 2016, "Network Trimming", APoZ).</summary>
internal sealed class NonzeroActivationsImportance(int rows) : ActivationImportance(nameof(NonzeroActivations), rows)
{
    protected override IEnumerable<Tensor> Moments(Tensor values)
    {
        yield return values.sign().abs().sum(1);
    }

    protected override double Score(double[] means) => means[0];
}
