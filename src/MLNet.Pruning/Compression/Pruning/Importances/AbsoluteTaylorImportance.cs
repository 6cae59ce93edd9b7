namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>|g w|: the size of the change of the loss to first order when a weight goes (Molchanov et al. 2017, "Pruning Convolutional Neural
/// Networks for Resource Efficient Inference"); slices by their sum.</summary>
internal sealed class AbsoluteTaylorImportance(int rows) : GradientImportance(nameof(AbsoluteTaylor), rows)
{
    protected override float Score(float weight, float gradient) => MathF.Abs(weight * gradient);
}
