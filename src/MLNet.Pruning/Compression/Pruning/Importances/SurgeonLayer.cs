namespace MLNet.Pruning;

/// <summary>What optimal brain surgeon knows of a layer, and does to it.</summary>
internal sealed class SurgeonLayer
{
    private readonly LayerInputs _layer;
    private readonly bool _isExact;
    private readonly double[][] _moments;
    private readonly double[][] _inverse;

    public SurgeonLayer(LayerInputs layer, double[][] moments, int exactInputs)
    {
        _layer = layer;
        (_moments, _inverse, _isExact) = (moments, PositiveDefinite.Invert(PositiveDefinite.Factor(moments)), layer.Count <= exactInputs);
    }

    /// <summary>Name of the weight.</summary>
    public string Weight => _layer.Weight;

    /// <summary>w^2 / (2 [H^-1]_jj), in the order of storage.</summary>
    public float[] Score(ReadOnlySpan<float> weights)
    {
        var scores = new float[weights.Length];
        for (var i = 0; i < scores.Length; i++)
        {
            var input = _layer.IsTransposed ? i / _layer.Units : i % _layer.Count;
            scores[i] = (float)(0.5 * weights[i] * weights[i] / _inverse[input][input]);
        }

        return scores;
    }

    /// <summary>The weights that stay, changed so that the outputs change least; zeros for the others.</summary>
    public float[] Compensate(ReadOnlySpan<float> weights, WeightMask mask)
    {
        var values = weights.ToArray();
        var factor = _isExact ? null : Columns(PositiveDefinite.Factor(_inverse));
        Parallel.For(0, _layer.Units, unit =>
        {
            var row = new double[_layer.Count];
            var kept = new bool[_layer.Count];
            for (var j = 0; j < _layer.Count; j++)
            {
                (row[j], kept[j]) = (values[_layer.Place(unit, j)], mask[_layer.Place(unit, j)]);
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

                for (var j = 0; j < _layer.Count; j++)
                {
                    values[_layer.Place(unit, j)] = kept[j] ? (float)row[j] : 0;
                }
            }
        });
        return values;
    }

    /// <summary>By what is kept, H_KK x = H_KD w_D, or by what is dropped, [H^-1]_DD x = w_D, whichever is the smaller system.</summary>
    private void Solve(double[] row, bool[] kept)
    {
        int[] stays = [.. Enumerable.Range(0, _layer.Count).Where(j => kept[j])], goes = [.. Enumerable.Range(0, _layer.Count).Where(j => !kept[j] && row[j] != 0)];
        int[] gone = [.. Enumerable.Range(0, _layer.Count).Where(j => !kept[j])];
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
}
