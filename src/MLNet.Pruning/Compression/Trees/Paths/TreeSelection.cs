using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Paths;

/// <summary>
/// Greedy orders of whole trees by the loss on validation rows. Candidates are compared by the loss to second order at the present scores,
/// which is exact for squared errors, so that a step costs two multiplications a tree and row.
/// </summary>
internal static class TreeSelection
{
    /// <summary>Rounds of correcting the multiples of the trees chosen, where no further tree lowers the loss by this share of it.</summary>
    private const int Rounds = 10;
    private const double LeastGain = 1e-3;

    public static TreeOrder Forward(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss)
        => ensemble.IsMean ? ForwardOfMean(ensemble, rows, loss) : ForwardOfSum(ensemble, rows, loss);

    private static TreeOrder ForwardOfMean(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss)
    {
        var selection = new State(ensemble, rows, loss);
        List<int> open = [.. Enumerable.Range(0, ensemble.Trees.Length)], order = [];
        while (open.Count > 0)
        {
            var scale = (double)ensemble.Trees.Length / (order.Count + 1);
            var best = open.MinBy(tree => selection.Change(tree, scale, 1));
            selection.Add(best, 1, scale);
            order.Add(best);
            open.Remove(best);
        }

        return new(ensemble, [.. order]);
    }

    /// <summary>
    /// Trees of a sum are multiplied by what lowers the loss most, not below 0: what corrected a tree that is gone would do harm as it is.
    /// Where no further tree helps, the multiples of those chosen are corrected, and the order ends where that is of no help either.
    /// </summary>
    private static TreeOrder ForwardOfSum(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss)
    {
        var selection = new State(ensemble, rows, loss);
        List<int> open = [.. Enumerable.Range(0, ensemble.Trees.Length)], order = [];
        var weights = new double[ensemble.Trees.Length];
        List<double[]> steps = [];
        while (open.Count > 0)
        {
            var (best, change) = Best();
            for (var round = 0; round < Rounds && !(-change > LeastGain * selection.Loss); round++)
            {
                order.ForEach(Correct);
                (best, change) = Best();
            }

            if (!(change < 0))
            {
                break;
            }

            order.Add(best);
            open.Remove(best);
            Correct(best);
            steps.Add([.. weights]);
        }

        (int, double) Best() => open.Select(tree => (tree, selection.BestStep(tree, 0).Change)).MinBy(step => step.Change);

        void Correct(int tree)
        {
            var (_, step) = selection.BestStep(tree, weights[tree]);
            selection.Add(tree, step, 1);
            weights[tree] += step;
        }

        return new(ensemble, [.. order], [.. steps]);
    }

    public static TreeOrder Backward(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss)
    {
        var selection = new State(ensemble, rows, loss);
        List<int> kept = [.. Enumerable.Range(0, ensemble.Trees.Length)], removed = [];
        kept.ForEach(tree => selection.Add(tree, 1, 1));
        while (kept.Count > 1)
        {
            var scale = ensemble.IsMean ? (double)ensemble.Trees.Length / (kept.Count - 1) : 1;
            var worst = kept.MinBy(tree => selection.Change(tree, scale, -1));
            selection.Add(worst, -1, scale);
            kept.Remove(worst);
            removed.Add(worst);
        }

        removed.Reverse();
        return new(ensemble, [.. kept, .. removed]);
    }

    private sealed class State(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss)
    {
        private readonly double[][] _outputs = rows.Outputs(ensemble.Trees);
        private readonly double[] _sum = new double[rows.Count];
        private readonly (double First, double Second)[] _derivatives = Derivatives(rows, loss, _ => ensemble.Offset);
        private double _scale = 1;

        public double Loss => loss.Total([.. _sum.Select(sum => ensemble.Offset + _scale * sum)], rows);

        /// <summary>What the loss changes by when a tree is added or taken away and the sum is scaled anew.</summary>
        public double Change(int tree, double scale, double sign)
        {
            rows.CancellationToken.ThrowIfCancellationRequested();
            var (outputs, rescale, weight) = (_outputs[tree], scale - _scale, scale * sign);
            double change = 0;
            for (var row = 0; row < outputs.Length; row++)
            {
                var (first, second) = _derivatives[row];
                var difference = rescale * _sum[row] + weight * outputs[row];
                change += (first + second * difference / 2) * difference;
            }

            return change;
        }

        /// <summary>What to add to a tree's multiple so that the loss falls most, the multiple not below 0, and what the loss changes by.</summary>
        public (double Change, double Step) BestStep(int tree, double multiple)
        {
            rows.CancellationToken.ThrowIfCancellationRequested();
            var outputs = _outputs[tree];
            double slope = 0, curvature = 0;
            for (var row = 0; row < outputs.Length; row++)
            {
                var (first, second) = _derivatives[row];
                slope += first * outputs[row];
                curvature += second * outputs[row] * outputs[row];
            }

            var step = curvature > 0 ? Math.Max(-slope / curvature, -multiple) : 0;
            return (step * (slope + step * curvature / 2), step);
        }

        public void Add(int tree, double weight, double scale)
        {
            rows.CancellationToken.ThrowIfCancellationRequested();
            for (var row = 0; row < _sum.Length; row++)
            {
                _sum[row] += weight * _outputs[tree][row];
            }

            _scale = scale;
            Derivatives(rows, loss, row => ensemble.Offset + scale * _sum[row]).CopyTo(_derivatives, 0);
        }

        private static (double, double)[] Derivatives(TreeRows rows, TreeLoss loss, Func<int, double> score)
            => [.. rows.Labels.Select((_, row) => loss.Derivatives(score(row), rows, row))];
    }
}
