using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Paths;

/// <summary>Whole trees in the order in which they are kept.</summary>
/// <param name="ensemble">The ensemble.</param>
/// <param name="order">Its trees, the one kept longest first; those left out go at the first step.</param>
/// <param name="weights">
/// What each tree of the ensemble is multiplied by where only the first, the first two and so on of the order are kept; null for nothing.
/// </param>
internal sealed class TreeOrder(DecisionTreeEnsemble ensemble, int[] order, double[][]? weights = null) : ITreePath
{
    public int Steps => Math.Max(0, Math.Min(order.Length, ensemble.Trees.Length - 1));

    public DecisionTreeEnsemble At(int step)
    {
        if (step == 0)
        {
            return ensemble;
        }

        var count = Steps - step + 1;
        var kept = ensemble.Keep(order[..count]);
        return weights is null ? kept : kept with { Trees = [.. kept.Trees.Zip(order[..count].Order(), (tree, i) => tree.Scaled(weights[count - 1][i]))] };
    }
}
