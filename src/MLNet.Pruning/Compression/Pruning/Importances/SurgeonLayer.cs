using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>What optimal brain surgeon knows of a layer, and does to it.</summary>
internal sealed class SurgeonLayer
{
    private readonly CancellationToken _cancellation;
    private double[][]? _inverse;

    public SurgeonLayer(LayerInputs layer, double[][] moments, int exactInputs, CancellationToken cancellation = default)
    {
        (Inputs, _cancellation) = (layer, cancellation);
        (Moments, IsExact) = (moments, layer.Count <= exactInputs);
    }

    /// <summary>Name of the weight.</summary>
    public string Weight => Inputs.Weight;

    /// <summary>What its units read.</summary>
    public LayerInputs Inputs { get; }

    /// <summary>The second moments of it, damped.</summary>
    public double[][] Moments { get; }

    /// <summary>The inverse of those; of a layer of many inputs made anew each time, so that not all layers' are held.</summary>
    public double[][] Inverse => _inverse ?? (IsExact ? _inverse = Invert(Moments) : Invert(Moments));

    /// <summary>Whether the inverse is worked with as a whole.</summary>
    public bool IsExact { get; }

    /// <summary>The inverse of the moments of some inputs alone.</summary>
    public double[][] InverseOf(int[] inputs) => Invert(Part(Moments, inputs));

    /// <summary>w^2 / (2 [H^-1]_jj), in the order of storage.</summary>
    public void Score(ReadOnlySpan<float> weights, Span<float> scores)
    {
        var inverse = Inverse;
        for (var unit = 0; unit < Inputs.Units; unit++)
        {
            for (var input = 0; input < Inputs.Count; input++)
            {
                var place = Inputs.Place(unit, input);
                scores[place] = (float)(0.5 * weights[place] * weights[place] / inverse[input][input]);
            }
        }
    }

    /// <summary>The weights of these inputs that stay, changed so that the outputs change least, zeros for the others, and those of other inputs.</summary>
    public float[] Compensate(ReadOnlySpan<float> weights, WeightMask mask)
    {
        var values = weights.ToArray();
        // Units that keep the same inputs, as all do where inputs were removed, share a factor.
        var alike = Enumerable.Range(0, Inputs.Units).Select(unit => (Unit: unit, Kept: Kept(unit, mask)))
            .GroupBy(unit => new string(Array.ConvertAll(unit.Kept, stays => stays ? '1' : '0'))).Select(units => units.ToArray())
            .Where(units => units[0].Kept.Contains(false)).ToArray();
        if (alike.Length == 0)
        {
            return values;
        }

        var inverse = Inverse;
        var factor = IsExact || alike.Length == 1 ? null : PositiveDefinite.Columns(PositiveDefinite.Factor(inverse, _cancellation), _cancellation);
        PartLoop.Run(alike.Length, group =>
        {
            var units = alike[group];
            var kept = units[0].Kept;
            Action<double[]> makeUp = factor is null ? Solver(Moments, inverse, kept, _cancellation) : row => Sweep(row, kept, factor);
            PartLoop.Run(units.Length, one =>
            {
                var unit = units[one];
                var row = new double[Inputs.Count];
                for (var j = 0; j < row.Length; j++)
                {
                    row[j] = values[Inputs.Place(unit.Unit, j)];
                }

                makeUp(row);
                for (var j = 0; j < row.Length; j++)
                {
                    values[Inputs.Place(unit.Unit, j)] = kept[j] ? (float)row[j] : 0;
                }
            }, _cancellation);
        }, _cancellation);
        return values;
    }

    private double[][] Invert(double[][] moments) => PositiveDefinite.Invert(PositiveDefinite.Factor(moments, _cancellation), _cancellation);

    private bool[] Kept(int unit, WeightMask mask)
    {
        _cancellation.ThrowIfCancellationRequested();
        return [.. Enumerable.Range(0, Inputs.Count).Select(j => mask[Inputs.Place(unit, j)])];
    }

    /// <summary>
    /// Changes the weights that stay so that the error is least: by what is kept, H_KK x = H_KD w_D, or by what is dropped, [H^-1]_DD x = w_D, whichever is the
    /// smaller system.
    /// </summary>
    /// <param name="moments">H.</param>
    /// <param name="inverse">Its inverse.</param>
    /// <param name="kept">Which weights stay.</param>
    /// <param name="cancellation">Ends it.</param>
    public static Action<double[]> Solver(double[][] moments, double[][] inverse, bool[] kept, CancellationToken cancellation)
    {
        int[] stays = [.. Enumerable.Range(0, kept.Length).Where(j => kept[j])], gone = [.. Enumerable.Range(0, kept.Length).Where(j => !kept[j])];
        var byKept = stays.Length <= gone.Length;
        var lower = PositiveDefinite.Factor(byKept ? Part(moments, stays) : Part(inverse, gone), cancellation);
        return row =>
        {
            if (byKept)
            {
                double[] change = [.. stays.Select(i => gone.Sum(j => moments[i][j] * row[j]))];
                PositiveDefinite.Solve(lower, change, cancellation);
                for (var i = 0; i < stays.Length; i++)
                {
                    row[stays[i]] += change[i];
                }

                return;
            }

            double[] cause = [.. gone.Select(j => row[j])];
            PositiveDefinite.Solve(lower, cause, cancellation);
            foreach (var i in stays)
            {
                for (var j = 0; j < gone.Length; j++)
                {
                    row[i] -= inverse[i][gone[j]] * cause[j];
                }
            }
        };
    }

    private static void Sweep(double[] row, bool[] kept, double[][] columns)
    {
        for (var j = 0; j < row.Length; j++)
        {
            if (!kept[j])
            {
                PositiveDefinite.Subtract(row.AsSpan(j), columns[j], row[j] / columns[j][0]);
            }
        }
    }

    internal static double[][] Part(double[][] matrix, int[] indices) => [.. indices.Select(i => Array.ConvertAll(indices, j => matrix[i][j]))];
}
