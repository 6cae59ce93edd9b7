namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// (g w)^2: the squared change of the loss to first order when a weight goes; slices by their sum (Molchanov et al. 2019, "Importance
/// Estimation for Neural Network Pruning", equations 6 and 8). The gradient is that of the mean loss over all calibration rows.
/// </summary>
internal sealed class TaylorImportance(int rows) : GradientImportance(nameof(Taylor), rows)
{
    protected override float Score(float weight, float gradient) => weight * gradient * (weight * gradient);
}
