using MLNet.Pruning.Compression.Trees;
using MLNet.Pruning.Compression.Trees.Ensembles;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>Refitted leaves against the normal equations solved densely, and against the condition that the gradient vanishes.</summary>
[TestClass]
public class LeafRefitTests
{
    private readonly Random _random = new(9);

    [TestMethod]
    public void Least_squares_is_the_solution_of_the_normal_equations()
    {
        const double pull = 3;
        var ensemble = RandomTrees.Ensemble(_random, trees: 4);
        var rows = RandomTrees.Rows(ensemble, _random, 120);
        var refitted = LeafRefit.Fit(ensemble, rows, new(ensemble), pull);

        double[] before = [.. ensemble.Trees.SelectMany(tree => tree.LeafValues), ensemble.Offset];
        var design = Design(ensemble, rows);
        var n = before.Length;
        var system = new double[n, n + 1];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                system[i, j] = design.Sum(row => row[i] * row[j]) + (i == j ? pull : 0);
            }

            system[i, n] = Enumerable.Range(0, rows.Count).Sum(row => design[row][i] * rows.Labels[row]) + pull * before[i];
        }

        var expected = Solve(system);
        double[] after = [.. refitted.Trees.SelectMany(tree => tree.LeafValues), refitted.Offset];
        for (var i = 0; i < n; i++)
        {
            Assert.AreEqual(expected[i], after[i], 1e-5);
        }
    }

    [TestMethod]
    public void Newton_steps_end_where_the_gradient_of_the_logistic_loss_vanishes()
    {
        const double pull = 2;
        var ensemble = RandomTrees.Ensemble(_random, trees: 5, LearningTask.Binary);
        var rows = RandomTrees.Rows(ensemble, _random, 150);
        var refitted = LeafRefit.Fit(ensemble, rows, new(ensemble), pull);

        double[] before = [.. ensemble.Trees.SelectMany(tree => tree.LeafValues),
            ensemble.Offset], after = [.. refitted.Trees.SelectMany(tree => tree.LeafValues), refitted.Offset];
        var design = Design(ensemble, rows);
        for (var i = 0; i < before.Length; i++)
        {
            // P = 1 / (1 + exp(-0.7 s + 0.1)); a leaf's old value counts as so many rows of the largest second derivative, 0.7^2 / 4.
            var gradient = Enumerable.Range(0, rows.Count).Sum(row =>
                design[row][i] * 0.7 * (1 / (1 + Math.Exp(-0.7 * refitted.Score(rows[row]) + 0.1)) - rows.Labels[row]))
                + pull * 0.49 / 4 * (after[i] - before[i]);
            Assert.AreEqual(0, gradient, 1e-3);
        }

        Assert.AreNotEqual(before[0], after[0]);
    }

    [TestMethod]
    public void A_strong_pull_leaves_the_leaves_where_they_were()
    {
        var ensemble = RandomTrees.Ensemble(_random);
        var rows = RandomTrees.Rows(ensemble, _random, 60);
        var refitted = LeafRefit.Fit(ensemble, rows, new(ensemble), 1e9);
        foreach (var (before, after) in ensemble.Trees.SelectMany(tree => tree.LeafValues).Zip(refitted.Trees.SelectMany(tree => tree.LeafValues)))
        {
            Assert.AreEqual(before, after, 1e-5);
        }
    }

    /// <summary>Row by row: 1 for the leaf of each tree that the row ends in, and for the offset.</summary>
    private static double[][] Design(DecisionTreeEnsemble ensemble, TreeRows rows) => [.. Enumerable.Range(0, rows.Count).Select(row =>
    {
        double[] flags = [.. ensemble.Trees.SelectMany(tree => tree.LeafValues.Select((_, leaf) => tree.LeafOf(rows[row]) == leaf ? 1.0 : 0)), 1];
        return flags;
    })];

    private static double[] Solve(double[,] system)
    {
        var n = system.GetLength(0);
        for (var column = 0; column < n; column++)
        {
            var pivot = Enumerable.Range(column, n - column).MaxBy(row => Math.Abs(system[row, column]));
            for (var j = 0; j <= n; j++)
            {
                (system[column, j], system[pivot, j]) = (system[pivot, j], system[column, j]);
            }

            for (var row = 0; row < n; row++)
            {
                var factor = row == column ? 0 : system[row, column] / system[column, column];
                for (var j = column; j <= n; j++)
                {
                    system[row, j] -= factor * system[column, j];
                }
            }
        }

        return [.. Enumerable.Range(0, n).Select(i => system[i, n] / system[i, i])];
    }
}
