using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Paths;

/// <summary>
/// Reduced-error pruning: tree by tree and bottom-up, a subtree goes where a leaf in its place does as well on the validation rows, the
/// other trees being what they are. Further steps allow a loss for each leaf saved, more and more.
/// </summary>
internal sealed class ReducedError : ITreePath
{
    private const int Allowances = 60;
    private const double SmallestAllowance = 1e-6;
    private const double LargestAllowance = 10;

    private readonly TreeRows _training;
    private readonly TreeRows _validation;
    private readonly TreeLoss _loss;
    private readonly double _unit;
    private readonly List<DecisionTreeEnsemble> _steps;

    public ReducedError(DecisionTreeEnsemble ensemble, TreeRows training, TreeRows validation, TreeLoss loss)
    {
        (_training, _validation, _loss, _steps) = (training, validation, loss, [ensemble]);
        _unit = loss.Total(validation.Score(ensemble), validation);
    }

    public int Steps => Allowances;

    public DecisionTreeEnsemble At(int step)
    {
        while (_steps.Count <= step)
        {
            // The first step allows nothing; from the second on in equal ratios.
            var exponent = (_steps.Count - 2) / (Allowances - 2.0);
            var allowance = _steps.Count == 1 ? 0 : SmallestAllowance * Math.Pow(LargestAllowance / SmallestAllowance, exponent) * _unit;
            _steps.Add(Prune(_steps[^1], allowance));
        }

        return _steps[step];
    }

    private DecisionTreeEnsemble Prune(DecisionTreeEnsemble ensemble, double allowance)
    {
        var scores = _validation.Score(ensemble);
        return ensemble.WithTrees(ensemble.Trees.Select(tree => Prune(tree, allowance, scores)).ToArray());
    }

    private DecisionTree Prune(DecisionTree tree, double allowance, double[] scores)
    {
        _validation.CancellationToken.ThrowIfCancellationRequested();
        var means = LeafWeights.Means(tree, LeafWeights.Of(tree, _training));
        var leaves = _validation.LeavesOf(tree);
        var outputs = Array.ConvertAll(leaves, leaf => tree.LeafValues[leaf]);
        var byLeaf = leaves.Select((leaf, row) => (leaf, row)).ToLookup(pair => pair.leaf, pair => pair.row);
        var collapsed = new bool[tree.Nodes];
        tree.Fold(leaf => (Rows: byLeaf[leaf].ToArray(), Leaves: 1), (node, left, right) =>
        {
            int[] rows = [.. left.Rows, .. right.Rows];
            var count = left.Leaves + right.Leaves;
            double change = 0;
            foreach (var row in rows)
            {
                change += _validation.WeightOf(row) * (_loss.Value(scores[row] - outputs[row] + means[node], _validation, row)
                    - _loss.Value(scores[row], _validation, row));
            }

            if (!(change <= allowance * (count - 1)))
            {
                return (rows, count);
            }

            collapsed[node] = true;
            foreach (var row in rows)
            {
                scores[row] += means[node] - outputs[row];
                outputs[row] = means[node];
            }

            return (rows, 1);
        });
        return collapsed.Contains(true) ? tree.Rebuild(child => child >= 0 && collapsed[child] ? new(means[child]) : null) : tree;
    }
}
