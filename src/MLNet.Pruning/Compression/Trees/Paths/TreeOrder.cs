namespace MLNet.Pruning;

/// <summary>Whole trees in the order in which they are kept.</summary>
/// <param name="ensemble">The ensemble.</param>
/// <param name="order">Its trees, the one kept longest first.</param>
/// <param name="weights">What each of them is multiplied by when others are gone; null for nothing.</param>
internal sealed class TreeOrder(DecisionTreeEnsemble ensemble, int[] order, double[]? weights = null) : ITreePath
{
    public int Steps => order.Length - 1;

    public DecisionTreeEnsemble At(int step)
    {
        if (step == 0)
        {
            return ensemble;
        }

        var kept = ensemble.Keep(order[..^step]);
        return weights is null ? kept : kept with { Trees = [.. kept.Trees.Zip(order[..^step].Order(), (tree, i) => tree.Scaled(weights[i]))] };
    }
}
