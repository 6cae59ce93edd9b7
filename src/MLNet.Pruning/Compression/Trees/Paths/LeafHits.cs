namespace MLNet.Pruning;

/// <summary>Leaves reached by the fewest training rows go first: the split above goes with them, and the sibling takes its place.</summary>
internal sealed class LeafHits : ITreePath
{
    private readonly TreeRows _training;
    private readonly double[] _thresholds;
    private readonly List<DecisionTreeEnsemble> _steps;

    public LeafHits(DecisionTreeEnsemble ensemble, TreeRows training)
    {
        (_training, _steps) = (training, [ensemble]);
        _thresholds = [.. ensemble.Trees.SelectMany(tree => LeafWeights.Hits(tree, training)).Distinct().Order()];
    }

    public int Steps => _thresholds.Length;

    public DecisionTreeEnsemble At(int step)
    {
        while (_steps.Count <= step)
        {
            var threshold = _thresholds[_steps.Count - 1];
            _steps.Add(_steps[^1].WithTrees(_steps[^1].Trees.Select(tree => Drop(tree, threshold))));
        }

        return _steps[step];
    }

    private DecisionTree Drop(DecisionTree tree, double threshold)
    {
        while (tree.Nodes > 0)
        {
            // Of two leaves below one node the one with fewer rows goes, and with them the rows of the other grow: so one round at a time.
            var hits = LeafWeights.Hits(tree, _training);
            var survivors = new Dictionary<int, int>();
            for (var node = 0; node < tree.Nodes; node++)
            {
                var (left, right) = (Hits(tree.Left[node]), Hits(tree.Right[node]));
                if (Math.Min(left, right) <= threshold)
                {
                    survivors[node] = left <= right ? tree.Right[node] : tree.Left[node];
                }
            }

            if (survivors.Count == 0)
            {
                return tree;
            }

            tree = tree.Rebuild(child => child >= 0 && survivors.TryGetValue(child, out var survivor) ? new(null, survivor) : null);

            double Hits(int child) => child < 0 ? hits[~child] : double.PositiveInfinity;
        }

        return tree;
    }
}
