using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Compression.Trees.Paths;

/// <summary>Orders of the trees of a binary forest by how their votes for the right class differ from each other.</summary>
internal static class ForestOrders
{
    /// <summary>The margin aimed at on every row: small and positive, as the paper has it.</summary>
    private const double Margin = 0.075;

    public static TreeOrder MarginDistance(DecisionTreeEnsemble ensemble, TreeRows rows)
    {
        var votes = Votes(ensemble, rows, TreePruningMethod.MarginDistance);
        var sum = new double[rows.Count];
        List<int> open = [.. Enumerable.Range(0, votes.Length)], order = [];
        while (open.Count > 0)
        {
            var best = open.MinBy(tree => Distance(sum, votes[tree], votes.Length, rows.CancellationToken));
            for (var row = 0; row < sum.Length; row++)
            {
                sum[row] += votes[best][row];
            }

            open.Remove(best);
            order.Add(best);
        }

        return new(ensemble, [.. order]);
    }

    public static TreeOrder Kappa(DecisionTreeEnsemble ensemble, TreeRows rows)
    {
        var votes = Votes(ensemble, rows, TreePruningMethod.Kappa);
        var pairs = new List<(double Kappa, int First, int Second)>();
        for (var first = 0; first < votes.Length; first++)
        {
            for (var second = first + 1; second < votes.Length; second++)
            {
                rows.CancellationToken.ThrowIfCancellationRequested();
                pairs.Add((Agreement(votes[first], votes[second], rows.Labels), first, second));
            }
        }

        pairs.Sort();
        return new(ensemble, [.. pairs.SelectMany(pair => (int[])[pair.First, pair.Second]).Distinct()]);
    }

    /// <summary>1 where a tree votes for the row's class, -1 where it is against it.</summary>
    private static sbyte[][] Votes(DecisionTreeEnsemble ensemble, TreeRows rows, TreePruningMethod method)
        => ensemble is { IsMean: true, Task.IsClassification: true }
        ? [.. rows.Outputs(ensemble.Trees).Select(outputs => outputs.Select((output, row) => (sbyte)(output > 0 == rows.Labels[row] > 0 ? 1 : -1)).ToArray())]
        : throw new TreePruningException($"{method} compares the votes of a binary forest's trees; this ensemble is "
            + $"{(ensemble.IsMean ? "a forest that predicts a number" : "boosted, so that its trees do not vote")}. "
            + $"Use {nameof(TreePruningMethod.ForwardSelection)} or {nameof(TreePruningMethod.BackwardElimination)}.");

    private static double Distance(double[] sum, sbyte[] votes, int trees, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        double distance = 0;
        for (var row = 0; row < sum.Length; row++)
        {
            var missing = Margin - (sum[row] + votes[row]) / trees;
            distance += missing * missing;
        }

        return distance;
    }

    /// <summary>Cohen's kappa of two trees' predictions; 1 where chance alone would make them agree.</summary>
    private static double Agreement(sbyte[] first, sbyte[] second, float[] labels)
    {
        double agree = 0, firstPositive = 0, secondPositive = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            agree += first[row] == second[row] ? 1 : 0;
            firstPositive += first[row] > 0 == labels[row] > 0 ? 1 : 0;
            secondPositive += second[row] > 0 == labels[row] > 0 ? 1 : 0;
        }

        var (observed, p, q) = (agree / labels.Length, firstPositive / labels.Length, secondPositive / labels.Length);
        var chance = p * q + (1 - p) * (1 - q);
        return chance < 1 ? (observed - chance) / (1 - chance) : 1;
    }
}
