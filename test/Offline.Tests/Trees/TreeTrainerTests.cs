using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.FastTree;
using MLNet.Pruning.Offline.Tests.Operations;

namespace MLNet.Pruning.Offline.Tests.Trees;

[TestClass]
public class TreeTrainerTests
{
    private static readonly MLContext _ml = new(seed: 1);
    private static readonly TreeRow[] _rows = TreeRow.Make(200, seed: 5);

    private static IDataView Data => _ml.Data.LoadFromEnumerable(_rows);

    [TestMethod]
    public void The_splits_of_a_tree_are_those_that_a_search_of_all_thresholds_finds()
    {
        var tree = _ml.Regression.Trainers.FastTree(numberOfTrees: 1, numberOfLeaves: 6, learningRate: 1).Fit(Data).Model.TrainedTreeEnsemble.Trees[0];

        // The leaf with the largest gain is split first, and keeps its number on the left.
        List<TreeRow[]> leaves = [_rows];
        for (int node = 0; node < tree.NumberOfNodes; node++)
        {
            var splits = leaves.Select(BestSplit).ToArray();
            int leaf = Array.IndexOf(splits, splits.MaxBy(split => split.Gain));
            var (gain, feature, threshold) = splits[leaf];
            Assert.AreEqual(gain, tree.SplitGains[node], 1e-6);
            Assert.AreEqual(feature, tree.NumericalSplitFeatureIndexes[node]);
            Assert.AreEqual(threshold, tree.NumericalSplitThresholds[node]);
            TreeRow[] parent = leaves[leaf];
            leaves[leaf] = [.. parent.Where(row => row.Features[feature] <= threshold)];
            leaves.Add([.. parent.Where(row => row.Features[feature] > threshold)]);
        }

        Assert.HasCount(6, leaves);
        Assert.AreEqual(6, tree.NumberOfLeaves);
        CollectionAssert.AreEqual(
            leaves.Select(leaf => leaf.Average(row => (double)row.Label)).ToArray(), tree.LeafValues.ToArray(), Nearly.Comparer);
    }

    [TestMethod]
    public void The_public_members_of_the_trees_tell_the_score()
    {
        var regression = _ml.Regression.Trainers.FastTree(numberOfTrees: 7).Fit(Data);
        var forest = _ml.Regression.Trainers.FastForest(numberOfTrees: 7).Fit(Data);
        var binary = _ml.BinaryClassification.Trainers.FastTree("Side", numberOfTrees: 7, learningRate: 0.3).Fit(Data);
        var vote = _ml.BinaryClassification.Trainers.FastForest("Side", numberOfTrees: 7).Fit(Data);

        AreEqual(regression, regression.Model.TrainedTreeEnsemble.Trees, 1);
        AreEqual(forest, forest.Model.TrainedTreeEnsemble.Trees, 1.0 / forest.Model.TrainedTreeEnsemble.Trees.Count);
        AreEqual(binary, binary.Model.SubModel.TrainedTreeEnsemble.Trees, 1);
        AreEqual(vote, vote.Model.TrainedTreeEnsemble.Trees, 1);
        Assert.AreEqual(-0.6, binary.Model.Calibrator.Slope, 1e-12);
        Assert.AreEqual(0, binary.Model.Calibrator.Offset);

        var scored = binary.Transform(Data);
        CollectionAssert.AreEqual(
            scored.GetColumn<float>("Score").Select(score => 1 / (1 + Math.Exp(-0.6 * score))).ToArray(),
            scored.GetColumn<float>("Probability").ToArray(), Nearly.Comparer);
        Assert.IsNull(vote.Transform(Data).Schema.GetColumnOrNull("Probability"));
    }

    [TestMethod]
    public void The_first_boosted_tree_is_a_newton_step_from_zero()
    {
        const double rate = 0.1;
        var model = _ml.BinaryClassification.Trainers.FastTree("Side", numberOfTrees: 1, learningRate: rate).Fit(Data).Model.SubModel;

        // At score 0 every gradient is half the sigmoid's slope, 2 x rate, and every second derivative a quarter of its square.
        var tree = model.TrainedTreeEnsemble.Trees[0];
        var leaves = _rows.ToLookup(row => LeafOf(tree, row.Features));
        for (int leaf = 0; leaf < tree.NumberOfLeaves; leaf++)
        {
            double mean = leaves[leaf].Average(row => row.Side ? 1.0 : -1);
            Assert.AreEqual(rate * (mean * rate) / (rate * rate), tree.LeafValues[leaf], 1e-9);
        }
    }

    [TestMethod]
    public void A_weight_of_two_is_the_row_twice()
    {
        var twice = _rows.SelectMany(row => Enumerable.Repeat(new TreeRow { Features = row.Features, Label = row.Label, Side = row.Side }, (int)row.Weight));
        var weighted = _ml.Regression.Trainers.FastTree(exampleWeightColumnName: "Weight", numberOfTrees: 5, minimumExampleCountPerLeaf: 1).Fit(Data);
        var repeated = _ml.Regression.Trainers.FastTree(numberOfTrees: 5, minimumExampleCountPerLeaf: 1).Fit(_ml.Data.LoadFromEnumerable(twice));
        CollectionAssert.AreEqual(Scores(repeated), Scores(weighted), Nearly.Comparer);

        var weightedSides = _ml.BinaryClassification.Trainers.FastTree("Side", exampleWeightColumnName: "Weight", numberOfTrees: 5, minimumExampleCountPerLeaf: 1).Fit(Data);
        var repeatedSides = _ml.BinaryClassification.Trainers.FastTree("Side", numberOfTrees: 5, minimumExampleCountPerLeaf: 1).Fit(_ml.Data.LoadFromEnumerable(twice));
        CollectionAssert.AreEqual(Scores(repeatedSides), Scores(weightedSides), Nearly.Comparer);
    }

    [TestMethod]
    public void A_missing_value_goes_right()
    {
        var model = _ml.Regression.Trainers.FastTree(numberOfTrees: 1, numberOfLeaves: 2, learningRate: 1).Fit(Data);
        var tree = model.Model.TrainedTreeEnsemble.Trees[0];
        var missing = _ml.Data.LoadFromEnumerable([new TreeRow { Features = [float.NaN, float.NaN, float.NaN] }]);
        Assert.AreEqual((float)tree.LeafValues[~tree.RightChild[0]], model.Transform(missing).GetColumn<float>("Score").Single());
    }

    [TestMethod]
    public void Saved_models_score_the_same()
    {
        ITransformer[] models =
        [
            _ml.Regression.Trainers.FastTree(numberOfTrees: 3).Fit(Data), _ml.Regression.Trainers.FastForest(numberOfTrees: 3).Fit(Data),
            _ml.BinaryClassification.Trainers.FastTree("Side", numberOfTrees: 3).Fit(Data), _ml.BinaryClassification.Trainers.FastForest("Side", numberOfTrees: 3).Fit(Data),
        ];
        foreach (var model in models)
        {
            var loaded = Operations.ModelFile.RoundTrip(_ml, model, Data.Schema);
            CollectionAssert.AreEqual(Scores(model), Scores(loaded));
            Assert.AreEqual(model.GetType(), loaded.GetType());
        }
    }

    [TestMethod]
    public void Options_do_what_they_say()
    {
        Assert.HasCount(4, Trees(new() { NumberOfTrees = 4 }));
        Assert.IsTrue(Trees(new() { NumberOfLeaves = 3 }).All(tree => tree.NumberOfLeaves <= 3));
        Assert.IsTrue(Trees(new() { MinimumExampleCountPerLeaf = 40 }).All(tree =>
            _rows.GroupBy(row => LeafOf(tree, row.Features)).All(leaf => leaf.Count() >= 40)));
        Assert.IsTrue(Trees(new() { MaximumBinCountPerFeature = 3 }).SelectMany(tree => tree.NumericalSplitFeatureIndexes.Zip(tree.NumericalSplitThresholds))
            .GroupBy(split => split.First, split => split.Second).All(feature => feature.Distinct().Count() <= 2));
        Assert.IsTrue(Trees(new() { FeatureFraction = 0.4 }).Any(tree => tree.NumericalSplitFeatureIndexes.Distinct().Count() == 1));
        Assert.AreEqual(
            Trees(new() { LearningRate = 0.1, NumberOfTrees = 1 })[0].LeafValues[0] * 2,
            Trees(new() { LearningRate = 0.2, NumberOfTrees = 1 })[0].LeafValues[0], 1e-12);

        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Trees(new() { NumberOfLeaves = 1 }));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Trees(new() { NumberOfTrees = 0 }));
        Assert.ThrowsExactly<InvalidOperationException>(() => Trees(new() { NumberOfTrees = 10, BaggingSize = 3 }));
        Assert.IsEmpty(Trees(new() { MinimumExampleCountPerLeaf = 150 }));
    }

    [TestMethod]
    public void The_same_seed_grows_the_same_forest()
    {
        float[] Forest(int seed) => Scores(_ml.Regression.Trainers.FastForest(new FastForestRegressionTrainer.Options { NumberOfTrees = 5, Seed = seed }).Fit(Data));
        CollectionAssert.AreEqual(Forest(3), Forest(3));
        CollectionAssert.AreNotEqual(Forest(3), Forest(4));
    }

    private static IReadOnlyList<RegressionTree> Trees(FastTreeRegressionTrainer.Options options)
    {
        options.NumberOfTrees = options.NumberOfTrees == 100 ? 10 : options.NumberOfTrees;
        return _ml.Regression.Trainers.FastTree(options).Fit(Data).Model.TrainedTreeEnsemble.Trees;
    }

    private static void AreEqual(ITransformer model, IEnumerable<RegressionTreeBase> trees, double factor) => CollectionAssert.AreEqual(
        _rows.Select(row => factor * trees.Sum(tree => tree.LeafValues[LeafOf(tree, row.Features)])).ToArray(), Scores(model), Nearly.Comparer);

    private static int LeafOf(RegressionTreeBase tree, float[] features)
    {
        int node = 0;
        while (node >= 0)
        {
            node = features[tree.NumericalSplitFeatureIndexes[node]] <= tree.NumericalSplitThresholds[node] ? tree.LeftChild[node] : tree.RightChild[node];
        }

        return ~node;
    }

    private static float[] Scores(ITransformer model) => [.. model.Transform(Data).GetColumn<float>("Score")];

    /// <summary>What the sum of squares falls by, and where, over every feature and every value.</summary>
    private static (double Gain, int Feature, float Threshold) BestSplit(TreeRow[] leaf)
    {
        var best = (Gain: double.NegativeInfinity, Feature: -1, Threshold: 0f);
        for (int feature = 0; feature < 3; feature++)
        {
            float[] values = [.. _rows.Select(row => row.Features[feature]).Distinct().Order()];
            foreach (var (low, high) in values.Zip(values.Skip(1)).Reverse())
            {
                TreeRow[] left = [.. leaf.Where(row => row.Features[feature] <= low)], right = [.. leaf.Where(row => row.Features[feature] > low)];
                if (left.Length >= 10 && right.Length >= 10 && Squares(leaf) - Squares(left) - Squares(right) is var gain && gain > best.Gain + 1e-9)
                {
                    best = (gain, feature, (low + high) / 2);
                }
            }
        }

        return best;
    }

    private static double Squares(TreeRow[] rows)
    {
        double mean = rows.Average(row => (double)row.Label);
        return rows.Sum(row => Math.Pow(row.Label - mean, 2));
    }
}
