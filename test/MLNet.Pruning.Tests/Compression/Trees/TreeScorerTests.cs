using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Compression.Trees.Scoring;
using MLNet.Pruning.Networks.Onnx;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>Batch scores and the ONNX model against a walk down each tree written here, on missing values, infinities and categorical sets too.</summary>
[TestClass]
public class TreeScorerTests
{
    [TestMethod]
    public void A_batch_of_any_size_scores_as_a_walk_down_each_tree()
    {
        var random = new Random(1);
        for (var round = 0; round < 20; round++)
        {
            var ensemble = RandomTrees.Ensemble(random);
            var rows = RandomTrees.Rows(ensemble, random, 37, missing: true);
            foreach (var batch in new[] { 1, 7, 8, 9, 37, 64 })
            {
                using var scorer = new TreeScorer(PackedTrees.Of(new([ensemble])), batch);
                for (var start = 0; start < rows.Count; start += batch)
                {
                    var count = Math.Min(batch, rows.Count - start);
                    for (var i = 0; i < count; i++)
                    {
                        rows[start + i].CopyTo(scorer.Rows.AsSpan(i * scorer.Width));
                    }

                    scorer.Run(count);
                    for (var i = 0; i < count; i++)
                    {
                        Assert.AreEqual((float)Walk(ensemble, rows[start + i]), scorer.Scores(i)[0]);
                    }
                }
            }

            Assert.AreEqual(Walk(ensemble, rows[0]), ensemble.Score(rows[0]));
        }
    }

    [TestMethod]
    public void Sets_that_no_split_reads_go_and_the_others_keep_their_meaning()
    {
        var random = new Random(4);
        var full = RandomTrees.Ensemble(random);
        var ensemble = full with { Sets = [[0], [1, 3], [2]], Trees = [.. full.Trees.Select(tree => tree.WithFeatures(feature => feature < 4 ? feature : 5))] };
        var used = new TreeModel([ensemble]).WithUsedColumns().Ensembles[0];
        Assert.HasCount(1, used.Sets);
        CollectionAssert.AreEqual(new[] { 1, 3 }, used.Sets[0].ToArray());
        var (rows, before, after) = (RandomTrees.Rows(ensemble, random, 50), new float[ensemble.Width], new float[used.Width]);
        for (var row = 0; row < rows.Count; row++)
        {
            rows[row][..4].CopyTo(before);
            rows[row][..4].CopyTo(after);
            ensemble.CompleteRow(before);
            used.CompleteRow(after);
            Assert.AreEqual(ensemble.Score(before), used.Score(after));
        }
    }

    [TestMethod]
    public void Lows_are_the_features_with_missing_values_below_all_others()
    {
        var random = new Random(7);
        var full = RandomTrees.Ensemble(random);
        // Splits on the features 0 and 2 send missing values left.
        var ensemble = full with { Lows = [2, 0], Trees = [.. full.Trees
            .Select(tree => tree.WithFeatures(feature => feature == 2 ? 5 : feature == 0 ? 6 : feature))] };
        var rows = RandomTrees.Rows(ensemble, random, 60, missing: true);
        using var scorer = new TreeScorer(PackedTrees.Of(new([ensemble])), 1);
        for (var row = 0; row < rows.Count; row++)
        {
            var sum = ensemble.Offset;
            foreach (var (tree, plain) in ensemble.Trees.Zip(full.Trees))
            {
                var node = 0;
                while (node >= 0)
                {
                    var value = plain.Features[node] == 4 ? rows[row][4] : rows[row][plain.Features[node]];
                    var goesLeft = value <= tree.Thresholds[node] || (float.IsNaN(value) && plain.Features[node] is 0 or 2);
                    node = goesLeft ? tree.Left[node] : tree.Right[node];
                }

                sum += tree.LeafValues[~node];
            }

            rows[row].CopyTo(scorer.Rows);
            scorer.Run(1);
            Assert.AreEqual((float)sum, scorer.Scores(0)[0]);
        }
    }

    [TestMethod]
    public void A_split_on_a_feature_that_no_row_has_is_told()
    {
        var ensemble = RandomTrees.Ensemble(new Random(6));
        Assert.IsNull(ensemble.Problem());
        foreach (var broken in new[] { -1, 5, 99 })
        {
            var tree = ensemble.Trees[0].WithFeatures(_ => broken);
            StringAssert.Contains((ensemble with { Trees = [tree] }).Problem()!, $"feature {broken} of 4");
        }

        StringAssert.Contains((ensemble with { Sets = [[4]] }).Problem()!, "feature 4 of 4");
    }

    [TestMethod]
    public void A_tree_as_deep_as_it_has_nodes_is_scored_and_pruned()
    {
        const int depth = 20_000;
        var random = new Random(2);
        int[] left = [.. Enumerable.Range(0, depth).Select(node => ~node)], right = [.. Enumerable.Range(1, depth - 1), ~depth];
        var tree = new DecisionTree(left, right, new int[depth], [.. Enumerable.Range(0, depth).Select(i => (float)i)],
            [.. Enumerable.Range(0, depth + 1).Select(i => (double)i)]);
        var ensemble = RandomTrees.Ensemble(random) with { Trees = [tree], Offset = 0, Sets = [] };
        using var scorer = new TreeScorer(PackedTrees.Of(new([ensemble])), 1);
        scorer.Rows[0] = depth - 10.5f;
        scorer.Run(1);
        Assert.AreEqual(depth - 10, scorer.Scores(0)[0]);
        Assert.AreEqual(depth, ensemble.Cost.Depth);
        Assert.AreEqual(depth - 1, tree.Rebuild(child => child == depth - 1 ? new(1.0) : null).Nodes);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void The_ONNX_model_gives_ONNX_Runtime_the_same_scores(bool isBinary)
    {
        var task = isBinary ? LearningTask.Binary : LearningTask.Regression;
        var random = new Random(3);
        var path = Path.GetTempFileName();
        for (var round = 0; round < 5; round++)
        {
            var ensemble = RandomTrees.Ensemble(random, task: task);
            var rows = RandomTrees.Rows(ensemble, random, 60, missing: true);
            OnnxFile.Write(TreeOnnx.Model(new([ensemble])), path);
            using var session = new InferenceSession(path);
            var features = new DenseTensor<float>(new[] { rows.Count, ensemble.FeatureCount });
            for (var row = 0; row < rows.Count; row++)
            {
                rows[row][..ensemble.FeatureCount].CopyTo(features.Buffer.Span[(row * ensemble.FeatureCount)..]);
            }

            using var results = session.Run([NamedOnnxValue.CreateFromTensor("features", features)]);
            var scores = results.First(result => result.Name == "score").AsEnumerable<float>()!.ToArray();
            Close.AreEqual([.. Enumerable.Range(0, rows.Count).Select(row => (float)Walk(ensemble, rows[row]))], scores, 1e-5, "score");
            if (isBinary)
            {
                var probabilities = results.First(result => result.Name == "probability").AsEnumerable<float>()!.ToArray();
                Close.AreEqual([.. scores.Select(score => (float)(1 / (1 + Math.Exp(-0.7 * score + 0.1))))], probabilities, 1e-5, "probability");
            }
        }

        File.Delete(path);
    }

    private static double Walk(DecisionTreeEnsemble ensemble, ReadOnlySpan<float> row)
    {
        var sum = ensemble.Offset;
        foreach (var tree in ensemble.Trees)
        {
            var node = 0;
            while (node >= 0)
            {
                var isSet = tree.Features[node] == ensemble.FeatureCount;
                var goesLeft = isSet ? !(row[1] > 0 || row[3] > 0) : row[tree.Features[node]] <= tree.Thresholds[node];
                node = goesLeft ? tree.Left[node] : tree.Right[node];
            }

            sum += tree.LeafValues[~node];
        }

        return sum;
    }
}
