using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Compression.Pruning.Importances;

/// <summary>
/// Which weights of a layer go, block of inputs by block of inputs: what is chosen in one changes the weights in those after it before they are compared
/// (Frantar &amp; Alistarh 2023, "SparseGPT", algorithm 1; Ilin &amp; Richtarik 2025, "Thanos", algorithm 1). Cost: inputs^3 / 6 multiply-adds for the factor
/// of the inverse, and inputs^2 a unit for the changes.
/// </summary>
internal sealed class SurgeonSweep
{
    /// <summary>Inputs of a block, as both papers have it.</summary>
    public const int BlockSize = 128;

    private readonly LayerInputs _inputs;
    private readonly double[][] _moments;
    private readonly double[][] _lower;
    private readonly bool _isJoint;
    private readonly CancellationToken _cancellation;

    /// <param name="inputs">What the layer reads.</param>
    /// <param name="moments">Their second moments, damped.</param>
    /// <param name="inverse">The inverse of those.</param>
    /// <param name="isJoint">Whether the weights of a block go together, and compete with those of blocks to come: Thanos.</param>
    /// <param name="cancellation">Ends it.</param>
    public SurgeonSweep(LayerInputs inputs, double[][] moments, double[][] inverse, bool isJoint, CancellationToken cancellation)
        => (_inputs, _moments, _isJoint, _lower, _cancellation) = (inputs, moments, isJoint, PositiveDefinite.Factor(inverse, cancellation), cancellation);

    /// <summary>Which weights go, and what each was worth when its turn came; in the order of storage.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="mask">What was dropped before, which counts among what goes.</param>
    /// <param name="drop">How many go; those that a pattern asks for where it is given.</param>
    /// <param name="pattern">How many of how many consecutive inputs stay.</param>
    /// <param name="taps">Weights of a kernel: inputs are its multiples.</param>
    /// <param name="chosen">Receives whether they go.</param>
    /// <param name="worths">Receives what they were worth.</param>
    public void Choose(ReadOnlySpan<float> weights, WeightMask? mask, long drop, (int Kept, int Size)? pattern, int taps, bool[] chosen, float[] worths)
    {
        var rows = new double[_inputs.Units][];
        for (var unit = 0; unit < rows.Length; unit++)
        {
            rows[unit] = new double[_inputs.Count];
            for (var j = 0; j < _inputs.Count; j++)
            {
                rows[unit][j] = mask?[_inputs.Place(unit, j)] == false ? 0 : weights[_inputs.Place(unit, j)];
            }
        }

        var gone = 0L;
        var size = pattern is { } one ? Math.Max(1, BlockSize / (one.Size * taps)) * one.Size * taps : BlockSize;
        for (var start = 0; start < _inputs.Count; start += size)
        {
            _cancellation.ThrowIfCancellationRequested();
            var end = Math.Min(start + size, _inputs.Count);
            var worth = Array.ConvertAll(rows, row => Worth(row, start, _isJoint && pattern is null ? _inputs.Count : end));
            bool[][] goes = [.. worth.Select(_ => new bool[end - start])];
            if (pattern is { } kept)
            {
                Mark(worth, goes, kept, taps);
            }
            else
            {
                var due = _isJoint ? drop - gone : (long)Math.Round((double)drop * end / _inputs.Count) - gone;
                Mark(worth, goes, start, mask, due);
            }

            gone += goes.Sum(unit => unit.LongCount(one => one));
            for (var unit = 0; unit < rows.Length; unit++)
            {
                for (var j = start; j < end; j++)
                {
                    (chosen[_inputs.Place(unit, j)], worths[_inputs.Place(unit, j)]) = (goes[unit][j - start], (float)worth[unit][j - start]);
                }
            }

            Change(rows, goes, start, end);
        }
    }

    /// <summary>What the weights of a unit are compared by; of a sweep half of what the error rises by, when those after it make up for it.</summary>
    private double[] Worth(double[] row, int start, int end)
    {
        var worth = new double[end - start];
        for (var j = start; j < end; j++)
        {
            worth[j - start] = row[j] * row[j] * (_isJoint ? _moments[j][j] : 1 / (_lower[j][j] * _lower[j][j])) / 2;
        }

        return worth;
    }

    /// <summary>Marks those worth least, and all that was dropped before.</summary>
    private void Mark(double[][] worth, bool[][] goes, int start, WeightMask? mask, long due)
    {
        var length = goes[0].Length;
        bool IsGone(int unit, int input) => mask?[_inputs.Place(unit, start + input)] == false;
        var order = from unit in Enumerable.Range(0, worth.Length)
            from input in Enumerable.Range(0, worth[unit].Length)
            orderby IsGone(unit, input) ? -1 : worth[unit][input]
            select (Unit: unit, Input: input);
        foreach (var (_, (unit, input)) in order.Index().TakeWhile(one => one.Index < due || IsGone(one.Item.Unit, one.Item.Input)))
        {
            if (input < length)
            {
                goes[unit][input] = true;
            }
        }
    }

    /// <summary>Marks in each group of consecutive inputs those worth least.</summary>
    private static void Mark(double[][] worth, bool[][] goes, (int Kept, int Size) pattern, int taps)
    {
        for (var unit = 0; unit < worth.Length; unit++)
        {
            var (own, marks) = (worth[unit], goes[unit]);
            foreach (var group in Enumerable.Range(0, marks.Length).GroupBy(j => (j / taps / pattern.Size, j % taps)))
            {
                foreach (var j in group.OrderBy(j => own[j]).Take(Math.Max(0, group.Count() - pattern.Kept)))
                {
                    marks[j] = true;
                }
            }
        }
    }

    private void Change(double[][] rows, bool[][] goes, int start, int end)
    {
        var columns = Enumerable.Range(start, end - start).Select(j => Enumerable.Range(j, _inputs.Count - j).Select(i => _lower[i][j]).ToArray()).ToArray();
        var inverse = _isJoint ? Inverse(columns, start, end) : null;
        PartLoop.Run(rows.Length, unit =>
        {
            var (row, marks) = (rows[unit], goes[unit]);
            if (inverse is null)
            {
                for (var j = start; j < end; j++)
                {
                    if (marks[j - start])
                    {
                        PositiveDefinite.Subtract(row.AsSpan(j), columns[j - start], row[j] / _lower[j][j]);
                    }
                }

                return;
            }

            int[] gone = [.. Enumerable.Range(0, marks.Length).Where(j => marks[j])];
            var lower = PositiveDefinite.Factor([.. gone.Select(i => Array.ConvertAll(gone, j => inverse[i][j]))], _cancellation);
            double[] cause = [.. gone.Select(j => row[start + j])];
            PositiveDefinite.Solve(lower, cause, _cancellation);
            for (var i = 0; i < gone.Length; i++)
            {
                PositiveDefinite.Subtract(row.AsSpan(start), inverse[gone[i]], cause[i]);
            }

            Array.ForEach(gone, j => row[start + j] = 0);
        }, _cancellation);
    }

    /// <summary>The rows of a block of the inverse of the moments of it and what comes after it.</summary>
    private double[][] Inverse(double[][] columns, int start, int end)
    {
        double[][] inverse = [.. Enumerable.Range(start, end - start).Select(_ => new double[_inputs.Count - start])];
        PartLoop.Run(inverse.Length, i =>
        {
            // What lies before the block was taken away of it by the factor already.
            for (var t = 0; t <= i; t++)
            {
                PositiveDefinite.Subtract(inverse[i].AsSpan(t), columns[t], -columns[t][i - t]);
            }
        }, _cancellation);
        return inverse;
    }
}
