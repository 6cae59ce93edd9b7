using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Paths;

/// <summary>
/// Weakest-link pruning over all trees at once. The error that a subtree saves is the weighted squared deviation of its leaves from their
/// mean: for leaves that are means of what the tree was fitted to, the very rise of its training error.
/// </summary>
internal sealed class CostComplexity : ITreePath
{
    private readonly DecisionTreeEnsemble _ensemble;
    private readonly double[][] _means;
    private readonly List<(int Tree, int Node)> _collapsed = [];

    public CostComplexity(DecisionTreeEnsemble ensemble, TreeRows training, TreeLoss loss)
    {
        _ensemble = ensemble;
        var weights = LeafWeights.Of(ensemble, training, loss);
        _means = [.. ensemble.Trees.Select((tree, t) => LeafWeights.Means(tree, weights[t]))];
        var links = ensemble.Trees.Select((tree, t) => new Links(tree, weights[t])).ToArray();
        var queue = new PriorityQueue<int, (double, int)>(links.Select((link, t) => (t, (link.Weakest().Rate, t))));
        while (queue.TryDequeue(out var tree, out _))
        {
            training.CancellationToken.ThrowIfCancellationRequested();
            _collapsed.Add((tree, links[tree].Collapse()));
            if (links[tree].Weakest() is { Node: >= 0 } next)
            {
                queue.Enqueue(tree, (next.Rate, tree));
            }
        }
    }

    public int Steps => _collapsed.Count;

    public DecisionTreeEnsemble At(int step)
    {
        var collapsed = _collapsed.Take(step).ToLookup(entry => entry.Tree, entry => entry.Node);
        return _ensemble.WithTrees(_ensemble.Trees.Select((tree, t) =>
        {
            var nodes = collapsed[t].ToHashSet();
            return nodes.Count == 0 ? tree : tree.Rebuild(child => child >= 0 && nodes.Contains(child) ? new(_means[t][child]) : null);
        }));
    }

    /// <summary>The rates at which a tree's nodes lose error for leaves.</summary>
    private sealed class Links
    {
        private readonly DecisionTree _tree;
        private readonly double[] _errors;
        private readonly bool[] _gone;
        private (double Rate, int Node) _weakest;

        public Links(DecisionTree tree, double[] weights)
        {
            (_tree, _gone) = (tree, new bool[tree.Nodes]);
            var means = LeafWeights.Means(tree, weights);
            _errors = [.. tree.Fold(
                leaf => (Weight: weights[leaf], Sum: weights[leaf] * tree.LeafValues[leaf],
                    Squares: weights[leaf] * tree.LeafValues[leaf] * tree.LeafValues[leaf]),
                (_, left, right) => (left.Weight + right.Weight, left.Sum + right.Sum, left.Squares + right.Squares))
                .Select((node, i) => Math.Max(0, node.Squares - node.Sum * means[i]) / 2)];
            Find();
        }

        public (double Rate, int Node) Weakest() => _weakest;

        /// <summary>Collapses the weakest link and tells which it was.</summary>
        public int Collapse()
        {
            var (_, node) = _weakest;
            _gone[node] = true;
            Find();
            return node;
        }

        private void Find()
        {
            _weakest = (double.PositiveInfinity, -1);
            if (_gone[0])
            {
                return;
            }

            var now = _tree.Fold(_ => (Leaves: 1, Error: 0.0), (node, left, right) =>
                _gone[node] ? (1, _errors[node]) : (left.Leaves + right.Leaves, left.Error + right.Error));
            var open = new Stack<int>([0]);
            while (open.TryPop(out var node))
            {
                var rate = Math.Max(0, _errors[node] - now[node].Error) / (now[node].Leaves - 1);
                if (rate < _weakest.Rate)
                {
                    _weakest = (rate, node);
                }

                foreach (var child in (int[])[_tree.Right[node], _tree.Left[node]])
                {
                    if (child >= 0 && !_gone[child])
                    {
                        open.Push(child);
                    }
                }
            }
        }
    }
}
