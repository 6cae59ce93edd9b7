namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// A weight's share of the sizes of all that its unit reads with, plus its share of all that read the same input, times a power of the norm of what it
/// multiplies (Zhang et al. 2024, "Plug-and-Play: An Efficient Post-training Pruning Method for Large Language Models", equation 4); slices by their sum. No
/// input and no unit loses all its weights early. Scores the weights of dense layers and convolutions.
/// </summary>
internal sealed class RiaImportance : CalibratedImportance
{
    private readonly int _rows;
    private readonly double _power;

    public RiaImportance(int rows, double power) : base(nameof(Ria), rows, power)
        => (_rows, _power) = (Rows(rows), power is >= 0 and < double.PositiveInfinity ? power
            : throw new ArgumentOutOfRangeException(nameof(power), power, "The power is a finite number of at least 0."));

    protected override ImportanceScores MeasureCore(ImportanceContext context)
    {
        using var run = context.Start(Name, _rows);
        var scores = InputNorms.Of(context.Network, run);
        foreach (var (name, norms) in scores)
        {
            var weight = context.Network[name];
            // The first two dimensions are units and inputs, in either order; a kernel's weights of one input are inputs of their own.
            var columns = weight.Count / weight.Shape[0];
            var (first, second) = (new double[weight.Shape[0]], new double[columns]);
            for (var i = 0; i < norms.Length; i++)
            {
                var size = Math.Abs((double)weight.Values[i]);
                first[i / columns] += size;
                second[i % columns] += size;
            }

            for (var i = 0; i < norms.Length; i++)
            {
                double size = Math.Abs(weight.Values[i]), share = size == 0 ? 0 : size / first[i / columns] + size / second[i % columns];
                norms[i] = (float)(share * Math.Pow(norms[i], _power));
            }
        }

        return ImportanceScores.OfWeights(Name, scores, context.Masks);
    }
}
