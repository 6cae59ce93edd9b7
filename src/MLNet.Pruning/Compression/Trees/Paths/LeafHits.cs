using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Paths;

/// <summary>Leaves reached by the fewest training rows go first: the split above goes with them, and the sibling takes its place.</summary>
internal sealed class LeafHits : ITreePath
{
    private readonly TreeRows _training;
    private readonly Dictionary<DecisionTree, double[]> _hits = [];
    private readonly double[] _thresholds;
    private readonly List<DecisionTreeEnsemble> _steps;

    public LeafHits(DecisionTreeEnsemble ensemble, TreeRows training)
    {
        (_training, _steps) = (training, [ensemble]);
        _thresholds = [.. Thresholds(ensemble.Trees.SelectMany(Hits).Distinct().Order())];
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

    /// <summary>The counts there are, then greater ones up to all rows: a leaf that took others' places has more than any had before.</summary>
    private IEnumerable<double> Thresholds(IEnumerable<double> counts)
    {
        double last = 0;
        foreach (var count in counts)
        {
            yield return last = count;
        }

        while (last < _training.Count)
        {
            yield return last = Math.Min(_training.Count, Math.Ceiling(last * 1.1 + 1));
        }
    }

    /// <summary>Trees that a step leaves as they are need not be counted again.</summary>
    private double[] Hits(DecisionTree tree) => _hits.TryGetValue(tree, out var known) ? known : _hits[tree] = LeafWeights.Hits(tree, _training);

    private DecisionTree Drop(DecisionTree tree, double threshold)
    {
        while (tree.Nodes > 0)
        {
            // Of two leaves below one node the one with fewer rows goes, and with them the rows of the other grow: so one round at a time.
            var hits = Hits(tree);
            var survivors = new Dictionary<int, int>();
            for (var node = 0; node < tree.Nodes; node++)
            {
                var (left, right) = (Below(tree.Left[node]), Below(tree.Right[node]));
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

            double Below(int child) => child < 0 ? hits[~child] : double.PositiveInfinity;
        }

        return tree;
    }
}
