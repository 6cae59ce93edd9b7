namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>|g|: how steeply the loss changes with a weight, whatever its size; slices by their sum.</summary>
internal sealed class GradientMagnitudeImportance(int rows) : GradientImportance(nameof(Gradient), rows)
{
    protected override float Score(float weight, float gradient) => MathF.Abs(gradient);
}
