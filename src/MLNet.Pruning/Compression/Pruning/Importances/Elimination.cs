namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Inputs of a layer's units, taken away in sets, one after another; after each, what stays has the values that leave the least error of the outputs. The
/// error of a set is half of the trace of W_P' ([H^-1]_PP)^-1 W_P over units (Frantar, Singh &amp; Alistarh 2022, "Optimal Brain Compression", equations 3
/// and 5).
/// </summary>
/// <remarks>
/// What taking inputs away does to H^-1 is kept as a growing factor of it, as in a Cholesky decomposition that chooses its pivots: n^3 / 6 multiply-adds for
/// all of n inputs, on half of n^2 numbers, and H^-1 itself is shared by all units.
/// </remarks>
internal sealed class Elimination
{
    /// <summary>What is left of a diagonal element, at least: less is rounding.</summary>
    private const double Least = 1e-12;

    private readonly double[][] _inverse;
    private readonly double[][] _rows;
    private readonly int[][] _sets;

    /// <summary>The part of H^-1 between the inputs of each set, as it is now.</summary>
    private readonly double[][][] _blocks;

    /// <summary>Inputs by place: those that are left first.</summary>
    private readonly int[] _inputs;
    private readonly int[] _places;
    private readonly List<double[]> _factor = [];
    private readonly double[] _least;
    private int _left;

    /// <param name="inverse">H^-1; not changed.</param>
    /// <param name="rows">The weights of each unit; copied.</param>
    /// <param name="sets">Inputs that go together; no input is in two of them.</param>
    public Elimination(double[][] inverse, IEnumerable<double[]> rows, int[][] sets)
    {
        (_inverse, _sets, _left) = (inverse, sets, inverse.Length);
        _rows = [.. rows.Select(row => row.ToArray())];
        _blocks = Array.ConvertAll(sets, set => Array.ConvertAll(set, i => Array.ConvertAll(set, j => inverse[i][j])));
        _inputs = [.. Enumerable.Range(0, _left)];
        _places = [.. _inputs];
        _least = [.. inverse.Select((row, i) => Least * row[i])];
    }

    /// <summary>
    /// Takes sets away, each time that without which the error rises least, and says of each what it rose by: more than at those before. Those that do not go
    /// come last, by what they are worth then.
    /// </summary>
    /// <param name="layers">The layers, or groups of units, whose errors are added up; of each the same sets.</param>
    /// <param name="sets">Number of sets.</param>
    /// <param name="most">How many go at most.</param>
    /// <param name="mayGo">Whether a set may go now; null for always.</param>
    /// <param name="gone">Told of each set that went; null for nobody.</param>
    /// <param name="cancellation">Ends it.</param>
    public static float[] Greedy(IReadOnlyList<Elimination> layers, int sets, int most = int.MaxValue, Func<int, bool>? mayGo = null,
        Action<int>? gone = null, CancellationToken cancellation = default)
    {
        var (scores, left, last) = (new float[sets], Enumerable.Range(0, sets).ToList(), 0f);
        while (left.Count > Math.Max(0, sets - most))
        {
            cancellation.ThrowIfCancellationRequested();
            var (best, least) = (-1, double.PositiveInfinity);
            for (var i = 0; i < left.Count; i++)
            {
                if (mayGo?.Invoke(left[i]) != false && Error(layers, left[i]) is var error && (best < 0 || error < least))
                {
                    (best, least) = (i, error);
                }
            }

            if (best < 0)
            {
                break;
            }

            var set = left[best];
            left.RemoveAt(best);
            last = scores[set] = Math.Max((float)least, MathF.BitIncrement(last));
            gone?.Invoke(set);
            foreach (var layer in layers)
            {
                layer.Remove(set);
            }
        }

        foreach (var set in left)
        {
            scores[set] = Math.Max(last + (float)Error(layers, set), MathF.BitIncrement(last));
        }

        return scores;
    }

    /// <summary>What the error rises by without a set; inputs of it that are gone already do not count.</summary>
    public double Error(int set)
    {
        var (inputs, block, sum) = (_sets[set], _blocks[set], 0.0);
        if (inputs.Length == 1)
        {
            var place = _places[inputs[0]];
            foreach (var row in _rows)
            {
                sum += row[place] * row[place];
            }

            return sum / Math.Max(block[0][0], _least[inputs[0]]) / 2;
        }

        if (Array.Exists(inputs, input => _places[input] >= _left))
        {
            int[] left = [.. Enumerable.Range(0, inputs.Length).Where(i => _places[inputs[i]] < _left)];
            (inputs, block) = (Array.ConvertAll(left, i => inputs[i]), Array.ConvertAll(left, i => Array.ConvertAll(left, j => block[i][j])));
        }

        var lower = Factor(inputs, block);
        var solved = new double[inputs.Length];
        foreach (var row in _rows)
        {
            for (var i = 0; i < solved.Length; i++)
            {
                var value = row[_places[inputs[i]]];
                for (var j = 0; j < i; j++)
                {
                    value -= lower[i][j] * solved[j];
                }

                solved[i] = value / lower[i][i];
                sum += solved[i] * solved[i];
            }
        }

        return sum / 2;
    }

    /// <summary>Takes a set away.</summary>
    public void Remove(int set) => Array.ForEach(_sets[set], RemoveInput);

    /// <summary>The weights of a unit by input; zero where an input is gone.</summary>
    public double[] Row(int unit)
    {
        var row = new double[_inputs.Length];
        for (var place = 0; place < _left; place++)
        {
            row[_inputs[place]] = _rows[unit][place];
        }

        return row;
    }

    /// <summary>Takes an input away, whatever set it is in.</summary>
    public void RemoveInput(int input)
    {
        if (_places[input] >= _left)
        {
            return;
        }

        MoveToEnd(input);
        // The row of H^-1 as it is now, over what is left, and over the rest of the set.
        var row = new double[_left];
        for (var place = 0; place < row.Length; place++)
        {
            row[place] = _inverse[input][_inputs[place]];
        }

        var own = _places[input];
        foreach (var earlier in _factor)
        {
            PositiveDefinite.Subtract(row, earlier.AsSpan(0, row.Length), earlier[own]);
        }

        var root = Math.Sqrt(Math.Max(row[own], _least[input]));
        for (var place = 0; place < row.Length; place++)
        {
            row[place] /= root;
        }

        _factor.Add(row);
        _left--;
        foreach (var weights in _rows)
        {
            PositiveDefinite.Subtract(weights.AsSpan(0, _left), row.AsSpan(0, _left), weights[own] / root);
            weights[own] = 0;
        }

        for (var other = 0; other < _sets.Length; other++)
        {
            var (inputs, block) = (_sets[other], _blocks[other]);
            for (var i = 0; i < inputs.Length; i++)
            {
                if (_places[inputs[i]] is var place && place < _left)
                {
                    for (var j = 0; j < inputs.Length; j++)
                    {
                        block[i][j] -= _places[inputs[j]] < _left ? row[place] * row[_places[inputs[j]]] : 0;
                    }
                }
            }
        }
    }

    /// <summary>The last place that is left becomes an input's.</summary>
    private void MoveToEnd(int input)
    {
        var (place, last) = (_places[input], _left - 1);
        foreach (var vector in _factor.Concat(_rows))
        {
            (vector[place], vector[last]) = (vector[last], vector[place]);
        }

        var other = _inputs[last];
        (_inputs[place], _inputs[last], _places[other], _places[input]) = (other, input, place, last);
    }

    private static double Error(IReadOnlyList<Elimination> layers, int set)
    {
        var sum = 0.0;
        foreach (var layer in layers)
        {
            sum += layer.Error(set);
        }

        return sum;
    }

    private double[][] Factor(int[] inputs, double[][] block)
    {
        double[][] lower = [.. block.Select((row, i) => row[..(i + 1)])];
        for (var j = 0; j < lower.Length; j++)
        {
            for (var i = j; i < lower.Length; i++)
            {
                var value = lower[i][j];
                for (var k = 0; k < j; k++)
                {
                    value -= lower[i][k] * lower[j][k];
                }

                lower[i][j] = i == j ? Math.Sqrt(Math.Max(value, _least[inputs[i]])) : value / lower[j][j];
            }
        }

        return lower;
    }
}
