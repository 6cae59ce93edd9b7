namespace MLNet.Pruning;

/// <summary>
/// Greedy orders of whole trees by the loss on validation rows. Candidates are compared by the loss to second order at the present scores,
/// which is exact for squared errors, so that a step costs two multiplications a tree and row.
/// </summary>
internal static class TreeSelection
{
    public static TreeOrder Forward(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss, CancellationToken cancellation)
    {
        var selection = new State(ensemble, rows, loss);
        List<int> open = [.. Enumerable.Range(0, ensemble.Trees.Length)], order = [];
        var weights = new double[ensemble.Trees.Length];
        while (open.Count > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            var scale = (double)ensemble.Trees.Length / (order.Count + 1);
            var (best, bestChange, bestWeight) = (open[0], double.PositiveInfinity, 1.0);
            foreach (var tree in open)
            {
                var (change, weight) = ensemble.IsMean ? (selection.Change(tree, scale, 1), 1) : selection.BestStep(tree);
                if (change < bestChange)
                {
                    (best, bestChange, bestWeight) = (tree, change, weight);
                }
            }

            selection.Add(best, bestWeight, ensemble.IsMean ? scale : 1);
            weights[best] = bestWeight;
            order.Add(best);
            open.Remove(best);
        }

        return new(ensemble, [.. order], ensemble.IsMean ? null : weights);
    }

    public static TreeOrder Backward(DecisionTreeEnsemble ensemble, TreeRows rows, TreeLoss loss, CancellationToken cancellation)
    {
        var selection = new State(ensemble, rows, loss);
        List<int> kept = [.. Enumerable.Range(0, ensemble.Trees.Length)], removed = [];
        kept.ForEach(tree => selection.Add(tree, 1, 1));
        while (kept.Count > 1)
        {
            cancellation.ThrowIfCancellationRequested();
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

        /// <summary>What the loss changes by when a tree is added or taken away and the sum is scaled anew.</summary>
        public double Change(int tree, double scale, double sign)
        {
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

        /// <summary>The best multiple of a tree to add, and what the loss changes by.</summary>
        public (double Change, double Weight) BestStep(int tree)
        {
            var outputs = _outputs[tree];
            double slope = 0, curvature = 0;
            for (var row = 0; row < outputs.Length; row++)
            {
                var (first, second) = _derivatives[row];
                slope += first * outputs[row];
                curvature += second * outputs[row] * outputs[row];
            }

            return slope < 0 && curvature > 0 ? (-slope * slope / (2 * curvature), -slope / curvature) : (0, 1);
        }

        public void Add(int tree, double weight, double scale)
        {
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
