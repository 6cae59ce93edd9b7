namespace MLNet.Pruning;

/// <summary>What optimal brain surgeon knows of a layer, and does to it.</summary>
internal sealed class SurgeonLayer
{
    private readonly int _units;
    private readonly int _inputs;
    private readonly bool _isTransposed;
    private readonly bool _isExact;
    private readonly double[][] _moments;
    private readonly double[][] _inverse;

    public SurgeonLayer(InputMoments layer, double[][] moments, int exactInputs)
    {
        (Weight, _units, _inputs, _isTransposed) = (layer.Weight, layer.Units, layer.Inputs, layer.IsTransposed);
        (_moments, _inverse, _isExact) = (moments, PositiveDefinite.Invert(PositiveDefinite.Factor(moments)), layer.Inputs <= exactInputs);
    }

    /// <summary>Name of the weight.</summary>
    public string Weight { get; }

    /// <summary>w^2 / (2 [H^-1]_jj), in the order of storage.</summary>
    public float[] Score(ReadOnlySpan<float> weights)
    {
        var scores = new float[weights.Length];
        for (var i = 0; i < scores.Length; i++)
        {
            var input = _isTransposed ? i / _units : i % _inputs;
            scores[i] = (float)(0.5 * weights[i] * weights[i] / _inverse[input][input]);
        }

        return scores;
    }

    /// <summary>The weights that stay, changed so that the outputs change least; zeros for the others.</summary>
    public float[] Compensate(ReadOnlySpan<float> weights, WeightMask mask)
    {
        var values = weights.ToArray();
        var factor = _isExact ? null : Columns(PositiveDefinite.Factor(_inverse));
        Parallel.For(0, _units, unit =>
        {
            var row = new double[_inputs];
            var kept = new bool[_inputs];
            for (var j = 0; j < _inputs; j++)
            {
                (row[j], kept[j]) = (values[Place(unit, j)], mask[Place(unit, j)]);
            }

            if (kept.Contains(false))
            {
                if (factor is null)
                {
                    Solve(row, kept);
                }
                else
                {
                    Sweep(row, kept, factor);
                }

                for (var j = 0; j < _inputs; j++)
                {
                    values[Place(unit, j)] = kept[j] ? (float)row[j] : 0;
                }
            }
        });
        return values;
    }

    /// <summary>By what is kept, H_KK x = H_KD w_D, or by what is dropped, [H^-1]_DD x = w_D, whichever is the smaller system.</summary>
    private void Solve(double[] row, bool[] kept)
    {
        int[] stays = [.. Enumerable.Range(0, _inputs).Where(j => kept[j])], goes = [.. Enumerable.Range(0, _inputs).Where(j => !kept[j] && row[j] != 0)];
        int[] gone = [.. Enumerable.Range(0, _inputs).Where(j => !kept[j])];
        if (stays.Length <= gone.Length)
        {
            double[] change = [.. stays.Select(i => goes.Sum(j => _moments[i][j] * row[j]))];
            PositiveDefinite.Solve(PositiveDefinite.Factor(Part(_moments, stays)), change);
            for (var i = 0; i < stays.Length; i++)
            {
                row[stays[i]] += change[i];
            }
        }
        else
        {
            double[] cause = [.. gone.Select(j => row[j])];
            PositiveDefinite.Solve(PositiveDefinite.Factor(Part(_inverse, gone)), cause);
            foreach (var i in stays)
            {
                for (var j = 0; j < gone.Length; j++)
                {
                    row[i] -= _inverse[i][gone[j]] * cause[j];
                }
            }
        }
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

    /// <summary>The columns of a lower triangle, each from the diagonal down.</summary>
    private static double[][] Columns(double[][] lower) => [.. lower.Select((_, j) => lower[j..].Select(row => row[j]).ToArray())];

    private static double[][] Part(double[][] matrix, int[] indices) => [.. indices.Select(i => Array.ConvertAll(indices, j => matrix[i][j]))];

    private int Place(int unit, int input) => _isTransposed ? input * _units + unit : unit * _inputs + input;
}
