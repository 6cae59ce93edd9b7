using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Compression.Trees.Paths;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>Each method's order against one worked out here by trying everything.</summary>
[TestClass]
public class TreePathTests
{
    private readonly Random _random = new(5);

    [TestMethod]
    public void Backward_elimination_removes_the_tree_whose_loss_hurts_least()
    {
        var ensemble = RandomTrees.Ensemble(_random, trees: 7);
        var rows = RandomTrees.Rows(ensemble, _random, 50);
        var path = TreeSelection.Backward(ensemble, rows, new(ensemble));
        List<int> kept = [.. Enumerable.Range(0, 7)];
        for (var step = 1; step <= path.Steps; step++)
        {
            kept.Remove(kept.MinBy(tree => SquaredError(ensemble
                with { Trees = [.. kept.Where(other => other != tree).Select(other => ensemble.Trees[other])] }, rows)));
            CollectionAssert.AreEqual(kept.Select(tree => ensemble.Trees[tree]).ToArray(), path.At(step).Trees.ToArray());
        }
    }

    [TestMethod]
    public void Forward_selection_of_a_forest_adds_the_tree_that_helps_most()
    {
        var ensemble = RandomTrees.Ensemble(_random, trees: 7) with { IsMean = true };
        var rows = RandomTrees.Rows(ensemble, _random, 50);
        var path = TreeSelection.Forward(ensemble, rows, new(ensemble));
        List<int> chosen = [];
        for (var count = 1; count < 7; count++)
        {
            chosen.Add(Enumerable.Range(0, 7).Except(chosen).MinBy(tree => SquaredError(ensemble.Keep([.. chosen, tree]), rows)));
            var expected = ensemble.Keep(chosen);
            Assert.AreEqual(SquaredError(expected, rows), SquaredError(path.At(7 - count), rows), 1e-9);
            CollectionAssert.AreEqual(expected.Trees.Select(tree => tree.LeafValues[0]).ToArray(),
                path.At(7 - count).Trees.Select(tree => tree.LeafValues[0]).ToArray());
        }
    }

    [TestMethod]
    public void Forward_selection_of_a_boosted_ensemble_adds_the_best_step_along_a_tree()
    {
        var ensemble = RandomTrees.Ensemble(_random, trees: 6);
        var rows = RandomTrees.Rows(ensemble, _random, 50);
        var path = TreeSelection.Forward(ensemble, rows, new(ensemble));
        var first = path.At(5);
        // The best multiple of each single tree, by the closed form of least squares.
        var errors = ensemble.Trees.Select(tree =>
        {
            var outputs = rows.Outputs([tree])[0];
            var target = rows.Labels.Select(label => label - ensemble.Offset).ToArray();
            var dot = outputs.Zip(target, (output, value) => output * value).Sum();
            return target.Sum(value => value * value) - Math.Max(0, dot) * dot / outputs.Sum(output => output * output);
        }).ToArray();
        Assert.AreEqual(errors.Min(), SquaredError(first, rows), 1e-9);
        Assert.AreSame(ensemble, path.At(0));
    }

    [TestMethod]
    public void Forward_selection_of_a_boosted_ensemble_ends_below_every_sum_of_its_trees()
    {
        for (var round = 0; round < 5; round++)
        {
            var ensemble = RandomTrees.Ensemble(_random, trees: 6);
            var rows = RandomTrees.Rows(ensemble, _random, 60);
            var path = TreeSelection.Forward(ensemble, rows, new(ensemble));
            var errors = Enumerable.Range(1, path.Steps).Select(step => SquaredError(path.At(step), rows)).Reverse().ToArray();
            CollectionAssert.AreEqual(errors.OrderDescending().ToArray(), errors);
            var sums = Enumerable.Range(0, 1 << 6).Select(set =>
                SquaredError(ensemble with { Trees = [.. ensemble.Trees.Where((_, tree) => (set >> tree & 1) == 1)] }, rows));
            Assert.IsLessThanOrEqualTo(sums.Min() * 1.01, errors[^1]);
        }
    }

    [TestMethod]
    public void Margin_distance_and_kappa_order_the_votes_of_a_forest()
    {
        var ensemble = RandomTrees.Ensemble(_random, trees: 6, LearningTask.Binary) with { IsMean = true, Calibration = null };
        // So many rows that no two trees are right on equally many.
        var rows = RandomTrees.Rows(ensemble, _random, 2000);
        bool[][] predicted = [.. rows.Outputs(ensemble.Trees).Select(outputs => outputs.Select(output => output > 0).ToArray())];

        var margin = ForestOrders.MarginDistance(ensemble, rows);
        List<int> chosen = [];
        for (var count = 1; count < 6; count++)
        {
            chosen.Add(Enumerable.Range(0, 6).Except(chosen).MinBy(tree => Enumerable.Range(0, rows.Count)
                .Sum(row => Math.Pow(0.075 - chosen.Append(tree).Sum(t => predicted[t][row] == rows.Labels[row] > 0 ? 1.0 : -1) / 6, 2))));
            CollectionAssert.AreEqual(chosen.Order().Select(tree => ensemble.Trees[tree].Thresholds).ToArray(),
                margin.At(6 - count).Trees.Select(tree => tree.Thresholds).ToArray());
        }

        var kappa = ForestOrders.Kappa(ensemble, rows);
        int[] pair = [.. kappa.At(4).Trees.Select(tree => Array.FindIndex([.. ensemble.Trees], other => other.Thresholds == tree.Thresholds))];
        var lowest = Enumerable.Range(0, 6).SelectMany(a => Enumerable.Range(a + 1, 5 - a).Select(b => Kappa(predicted[a], predicted[b]))).Min();
        Assert.AreEqual(lowest, Kappa(predicted[pair[0]], predicted[pair[1]]), 1e-12);
    }

    [TestMethod]
    public void Cost_complexity_of_one_tree_is_Breimans_sequence()
    {
        var ensemble = RandomTrees.Ensemble(_random, trees: 1) with { Trees = [RandomTrees.Tree(_random, 4, 9)], Offset = 0, Sets = [] };
        var rows = RandomTrees.Rows(ensemble, _random, 300);
        while (rows.LeavesOf(ensemble.Trees[0]).Distinct().Count() < 10)
        {
            // Subtrees that no row tells apart cost nothing, and could go in any order.
            ensemble = ensemble with { Trees = [RandomTrees.Tree(_random, 4, 9)] };
        }

        // A tree whose leaves are the means of their labels, as one that was fitted has them.
        var leaves = rows.LeavesOf(ensemble.Trees[0]);
        var tree = ensemble.Trees[0].WithLeafValues([.. Enumerable.Range(0, 10)
            .Select(leaf => Enumerable.Range(0, 300).Where(row => leaves[row] == leaf).Select(row => (double)rows.Labels[row]).DefaultIfEmpty(0).Average())]);
        ensemble = ensemble with { Trees = [tree] };
        var path = new CostComplexity(ensemble, rows, new(ensemble));
        var current = ensemble;
        for (var step = 1; step <= path.Steps; step++)
        {
            // Collapse each subtree that is left into the mean of its rows, and take the one that costs least for each leaf.
            var error = SquaredError(current, rows);
            var best = current.Trees.SelectMany(t => Enumerable.Range(0, t.Nodes).Select(node => Collapse(current, node, rows)))
                .MinBy(next => (SquaredError(next, rows) - error) / (Leaves(current) - Leaves(next)))!;
            current = path.At(step);
            Assert.AreEqual(SquaredError(best, rows), SquaredError(current, rows), 1e-6, $"step {step}");
            Assert.AreEqual(Leaves(best), Leaves(current));
        }

        Assert.IsEmpty(current.Trees);
    }

    [TestMethod]
    public void Reduced_error_pruning_collapses_what_does_not_help_on_other_rows()
    {
        var ensemble = RandomTrees.Ensemble(_random, trees: 4);
        var (training, validation) = (RandomTrees.Rows(ensemble, _random, 200), RandomTrees.Rows(ensemble, _random, 100));
        var path = new ReducedError(ensemble, training, validation, new(ensemble));
        var pruned = path.At(1);
        Assert.IsLessThan(ensemble.Cost.Nodes, pruned.Cost.Nodes);
        Assert.IsLessThanOrEqualTo(SquaredError(ensemble, validation), SquaredError(pruned, validation));

        // Of the last tree, which nothing came after, no subtree is left whose collapse would do no harm.
        var last = pruned.Trees[^1];
        var means = LeafWeights.Means(last, LeafWeights.Of(last, training));
        for (var node = 0; node < last.Nodes; node++)
        {
            var without = pruned with { Trees = pruned.Trees.SetItem(pruned.Trees.Length - 1, last.Rebuild(child => child == node ? new(means[node]) : null)) };
            Assert.IsGreaterThan(SquaredError(pruned, validation), SquaredError(without, validation));
        }

        var sizes = Enumerable.Range(0, path.Steps + 1).Select(step => path.At(step).Cost.Nodes).ToArray();
        CollectionAssert.AreEqual(sizes.OrderDescending().ToArray(), sizes);
        Assert.AreEqual(0, sizes[^1]);
    }

    [TestMethod]
    public void Leaves_that_few_rows_reach_give_way_to_their_siblings()
    {
        var ensemble = RandomTrees.Ensemble(_random, trees: 3);
        var rows = RandomTrees.Rows(ensemble, _random, 200);
        var path = new LeafHits(ensemble, rows);
        int[] counts = [.. ensemble.Trees.SelectMany(tree => rows.LeavesOf(tree).GroupBy(leaf => leaf).Select(leaf => leaf.Count())).Append(0).Distinct()
            .Order()];
        for (var step = 1; step <= counts.Length - 1; step++)
        {
            foreach (var tree in path.At(step).Trees)
            {
                var hits = rows.LeavesOf(tree).ToLookup(leaf => leaf);
                Assert.IsTrue(Enumerable.Range(0, tree.LeafValues.Length).All(leaf => hits[leaf].Count() > counts[step - 1]), $"step {step}");
                // No value is new: rows of a leaf that went take the value of one that was there.
                Assert.IsTrue(tree.LeafValues.All(value => ensemble.Trees.Any(old => old.LeafValues.Contains(value))));
            }
        }

        // Rows whose leaves are all frequent keep their scores.
        var first = path.At(2);
        var frequent = Enumerable.Range(0, rows.Count).Where(row =>
            ensemble.Trees.All(tree => rows.LeavesOf(tree) is var leaves && leaves.Count(leaf => leaf == leaves[row]) > counts[1]));
        foreach (var row in frequent)
        {
            Assert.AreEqual(ensemble.Score(rows[row]), first.Score(rows[row]), 1e-12);
        }
    }

    private static DecisionTreeEnsemble Collapse(DecisionTreeEnsemble ensemble, int node, TreeRows rows)
    {
        var tree = ensemble.Trees[0];
        List<float> labels = [];
        for (var row = 0; row < rows.Count; row++)
        {
            for (var at = 0; at >= 0; at = rows[row][tree.Features[at]] <= tree.Thresholds[at] ? tree.Left[at] : tree.Right[at])
            {
                if (at == node)
                {
                    labels.Add(rows.Labels[row]);
                }
            }
        }

        return ensemble.WithTrees([tree.Rebuild(child => child == node ? new(labels.Count == 0 ? 0 : labels.Average(label => (double)label)) : null)]);
    }

    private static int Leaves(DecisionTreeEnsemble ensemble) => ensemble.Trees.Length == 0 ? 1 : ensemble.Trees[0].LeafValues.Length;

    private static double SquaredError(DecisionTreeEnsemble ensemble, TreeRows rows)
        => Enumerable.Range(0, rows.Count).Sum(row => Math.Pow(ensemble.Score(rows[row]) - rows.Labels[row], 2));

    private static double Kappa(bool[] first, bool[] second)
    {
        double n = first.Length;
        double Share(bool a, bool b) => first.Zip(second).Count(pair => pair == (a, b)) / n;
        var observed = Share(true, true) + Share(false, false);
        var chance = first.Count(vote => vote) / n * second.Count(vote => vote) / n + first.Count(vote => !vote) / n * second.Count(vote => !vote) / n;
        // Two trees that always vote alike agree as much as can be.
        return chance < 1 ? (observed - chance) / (1 - chance) : 1;
    }
}
