using System.Collections.Concurrent;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Threading;

namespace MLNet.Pruning.Compression.Trees;

/// <summary>
/// Fits the values of all leaves at once to the training rows, held to what they were: Newton steps, of which squared errors need one,
/// each solved by conjugate gradients over the rows' leaves.
/// </summary>
internal sealed class LeafRefit
{
    private const int NewtonSteps = 12;
    private const int GradientSteps = 300;
    private const int RowsAtOnce = 4096;
    private const double Tolerance = 1e-7;

    /// <summary>Newton steps need not be exact: the next one makes up for it.</summary>
    private const double StepTolerance = 1e-3;

    private readonly TreeRows _rows;
    private readonly TreeLoss _loss;
    private readonly double _pull;
    private readonly int[][] _slots;
    private readonly double[] _before;

    private LeafRefit(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss, double regularization)
    {
        (_rows, _loss, _pull) = (rows, loss, regularization * loss.Curvature);
        // The offset is the last value, and every row's.
        _before = [.. ensemble.Trees.SelectMany(tree => tree.LeafValues), ensemble.Offset];
        _slots = rows.Leaves(ensemble.Trees);
        for (int tree = 0, start = 0; tree < _slots.Length; start += ensemble.Trees[tree++].LeafValues.Length)
        {
            for (var row = 0; row < rows.Count; row++)
            {
                _slots[tree][row] += start;
            }
        }
    }

    /// <param name="ensemble">The ensemble.</param>
    /// <param name="rows">The training rows.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="regularization">How many rows a leaf's old value counts as.</param>
    public static DecisionTreeEnsemble Fit(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss, double regularization)
    {
        var values = new LeafRefit(ensemble, rows, loss, regularization).Solve();
        var start = 0;
        return ensemble with
        {
            Trees = [.. ensemble.Trees.Select(tree => tree.WithLeafValues(values[start..(start += tree.LeafValues.Length)]))],
            Offset = values[^1],
        };
    }

    private double[] Solve()
    {
        var values = _before.ToArray();
        var scores = Multiply(values);
        var objective = Objective(values, scores);
        for (var iteration = 0; iteration < (_loss.IsQuadratic ? 1 : NewtonSteps); iteration++)
        {
            var derivatives = scores.Select((score, row) => _loss.Derivatives(score, _rows, row)).ToArray();
            var gradient = Transposed(Array.ConvertAll(derivatives, derivative => -derivative.First));
            for (var i = 0; i < values.Length; i++)
            {
                gradient[i] -= _pull * (values[i] - _before[i]);
            }

            var step = ConjugateGradients(gradient, Array.ConvertAll(derivatives, derivative => derivative.Second));
            var (next, nextScores, nextObjective) = (values, scores, objective);
            for (var length = 1.0; length > 1e-3; length /= 2)
            {
                next = [.. values.Zip(step, (value, change) => value + length * change)];
                nextScores = Multiply(next);
                nextObjective = Objective(next, nextScores);
                if (nextObjective <= objective)
                {
                    break;
                }
            }

            if (!(objective - nextObjective > Tolerance * Math.Abs(objective)))
            {
                return nextObjective <= objective ? next : values;
            }

            (values, scores, objective) = (next, nextScores, nextObjective);
        }

        return values;
    }

    private double[] ConjugateGradients(double[] right, double[] weights)
    {
        var solution = new double[right.Length];
        var residual = right.ToArray();
        var direction = right.ToArray();
        var tolerance = _loss.IsQuadratic ? Tolerance : StepTolerance;
        double squares = Dot(residual, residual), end = tolerance * tolerance * squares;
        for (var step = 0; step < GradientSteps && squares > end; step++)
        {
            var image = Multiply(direction);
            for (var row = 0; row < image.Length; row++)
            {
                image[row] *= weights[row];
            }

            var product = Transposed(image);
            for (var i = 0; i < product.Length; i++)
            {
                product[i] += _pull * direction[i];
            }

            var length = squares / Dot(direction, product);
            for (var i = 0; i < solution.Length; i++)
            {
                solution[i] += length * direction[i];
                residual[i] -= length * product[i];
            }

            var next = Dot(residual, residual);
            for (var i = 0; i < direction.Length; i++)
            {
                direction[i] = residual[i] + next / squares * direction[i];
            }

            squares = next;
        }

        return solution;
    }

    private double Objective(double[] values, double[] scores)
    {
        double pulled = 0;
        for (var i = 0; i < values.Length; i++)
        {
            pulled += (values[i] - _before[i]) * (values[i] - _before[i]);
        }

        return _loss.Total(scores, _rows) + _pull / 2 * pulled;
    }

    /// <summary>A number for each row: the sum over its leaves.</summary>
    private double[] Multiply(double[] values)
    {
        _rows.CancellationToken.ThrowIfCancellationRequested();
        var sums = new double[_rows.Count];
        // Rows add up in the order of the trees, on however many threads.
        PartLoop.Run((sums.Length + RowsAtOnce - 1) / RowsAtOnce, number =>
        {
            var first = number * RowsAtOnce;
            var part = sums.AsSpan(first..Math.Min(first + RowsAtOnce, sums.Length));
            part.Fill(values[^1]);
            foreach (var slots in _slots)
            {
                var own = slots.AsSpan(first, part.Length);
                for (var row = 0; row < part.Length; row++)
                {
                    part[row] += values[own[row]];
                }
            }
        }, _rows.CancellationToken);
        return sums;
    }

    /// <summary>A number for each leaf: the sum over its rows.</summary>
    private double[] Transposed(double[] rows)
    {
        var sums = new double[_before.Length];
        sums[^1] = rows.Sum();
        // The leaves of two trees are never the same.
        PartLoop.Run(_slots.Length, tree =>
        {
            var slots = _slots[tree];
            for (var row = 0; row < rows.Length; row++)
            {
                sums[slots[row]] += rows[row];
            }
        }, _rows.CancellationToken);
        return sums;
    }

    private static double Dot(double[] left, double[] right)
    {
        double sum = 0;
        for (var i = 0; i < left.Length; i++)
        {
            sum += left[i] * right[i];
        }

        return sum;
    }
}
