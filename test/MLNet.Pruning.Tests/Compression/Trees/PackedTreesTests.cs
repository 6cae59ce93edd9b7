using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using MLNet.Pruning.Compression.Trees.Ensembles;
using MLNet.Pruning.Compression.Trees.Scoring;
using MLNet.Pruning.Tests.Scoring;

namespace MLNet.Pruning.Tests.Compression.Trees;

/// <summary>Every kernel, at every width of vectors that this processor has, against a walk down each tree in double precision written here.</summary>
[TestClass]
[Retry(4, MillisecondsDelayBetweenRetries = 1000)]
public class PackedTreesTests
{
    private static readonly int[] s_widths = [16, .. Vector256.IsHardwareAccelerated ? [32] : (int[])[], .. Vector512.IsHardwareAccelerated ? [64] : (int[])[]];

    /// <summary>What splits and rows share, so that values often are thresholds.</summary>
    private static readonly float[] s_grid = [.. Enumerable.Range(-20, 41).Select(i => i / 8f), float.PositiveInfinity, float.NegativeInfinity, -0f,
        float.MaxValue, float.Epsilon];

    [TestMethod]
    [DataRow(1, 1, 2, DisplayName = "one split")]
    [DataRow(200, 20, 6, DisplayName = "small trees")]
    [DataRow(30, 300, 3, DisplayName = "trees on both sides of the largest set of leaves")]
    [DataRow(5, 300, 70, DisplayName = "more features than a table")]
    [DataRow(60, 40, 300, DisplayName = "many tables")]
    public void Every_number_of_rows_scores_as_a_walk_down_each_tree(int trees, int leaves, int features)
    {
        var random = new Random(trees);
        var model = Model(random, trees, leaves, features);
        const int most = 150;
        var rows = Rows(random, model, most);
        float[] expected = [.. Enumerable.Range(0, most).SelectMany(row => model.Ensembles
            .Select(ensemble => (float)Walk(ensemble, rows.AsSpan(row * model.Width, model.Width), LeafSet.MostLeaves)))];
        foreach (var width in s_widths)
        {
            var packed = PackedTrees.Of(model, width);
            var scratch = packed.CreateScratch();
            for (var count = 1; count <= most; count++)
            {
                var scores = new float[count * model.Outputs];
                packed.Score(rows, count, scratch, scores);
                CollectionAssert.AreEqual(expected[..scores.Length], scores, $"{width} bytes, {count} rows");
            }
        }
    }

    [TestMethod]
    public void More_thresholds_than_a_byte_counts_and_missing_ones_are_told_apart()
    {
        var random = new Random(5);
        // 1,200 thresholds of one feature, a missing one among them.
        DecisionTree[] trees = [.. Enumerable.Range(0, 40).Select(_ => RandomTrees.Tree(random, 1, 30))];
        trees = [.. trees.Select((tree, t) => new DecisionTree(tree.Left, tree.Right, tree.Features,
            [.. tree.Thresholds.Select((_, node) => t == 3 && node == 2 ? float.NaN : MathF.BitIncrement(1 + 0.01f * (30 * t + node)))], tree.LeafValues))];
        var model = new TreeModel([Ensemble([.. trees], features: 1)]);
        float[] values = [.. trees.SelectMany(tree => tree.Thresholds).SelectMany(x => (float[])[MathF.BitDecrement(x), x, MathF.BitIncrement(x)]),
            float.NaN, float.PositiveInfinity, float.NegativeInfinity];
        float[] rows = [.. values.SelectMany(value => (float[])[value, 0])];
        foreach (var width in s_widths)
        {
            var packed = PackedTrees.Of(model, width);
            var (scores, scratch) = (new float[values.Length], packed.CreateScratch());
            packed.Score(rows, values.Length, scratch, scores);
            var one = new float[1];
            for (var row = 0; row < values.Length; row++)
            {
                var expected = (float)Walk(model.Ensembles[0], rows.AsSpan(2 * row, 2), LeafSet.MostLeaves);
                Assert.AreEqual(expected, scores[row], $"{values[row]:r}");
                packed.Score(rows.AsSpan(2 * row), 1, scratch, one);
                Assert.AreEqual(expected, one[0], $"{values[row]:r}");
            }
        }
    }

    [TestMethod]
    public void Nothing_is_read_beyond_the_last_row()
    {
        const int most = 150;
        var random = new Random(9);
        using var memory = new GuardedFloats(most * 64);
        for (var features = 1; features <= 40; features++)
        {
            var model = Model(random, 3, 12, features);
            var all = Rows(random, model, most);
            foreach (var width in s_widths)
            {
                var packed = PackedTrees.Of(model, width);
                var scratch = packed.CreateScratch();
                for (var count = 1; count <= most; count++)
                {
                    var rows = memory.Last(count * model.Width);
                    all.AsSpan(0, rows.Length).CopyTo(rows);
                    var scores = new float[count * model.Outputs];
                    packed.Score(rows, count, scratch, scores);
                    Assert.AreEqual((float)Walk(model.Ensembles[0], rows[^model.Width..], LeafSet.MostLeaves), scores[^model.Outputs]);
                }
            }
        }
    }

    [TestMethod]
    public void Rows_too_few_for_their_number_are_refused()
    {
        var model = Model(new Random(1), 3, 5, 4);
        var packed = PackedTrees.Of(model);
        Assert.Throws<ArgumentOutOfRangeException>(() => packed.Score(new float[69 * model.Width], 70, packed.CreateScratch(), new float[70 * model.Outputs]));
    }

    [TestMethod]
    public void Sixty_four_threads_score_one_model_as_one_does_and_allocate_nothing_a_row()
    {
        var random = new Random(11);
        var model = Model(random, 50, 40, 20);
        const int count = 1000;
        var rows = Rows(random, model, count);
        var packed = PackedTrees.Of(model);
        var expected = new float[count * model.Outputs];
        packed.Score(rows, count, packed.CreateScratch(), expected);
        var failures = new System.Collections.Concurrent.ConcurrentBag<string>();
        using var start = new Barrier(64);
        Thread[] threads = [.. Enumerable.Range(0, 64).Select(number => new Thread(() =>
        {
            // Each in batches of its own size.
            var (scratch, scores, batch) = (packed.CreateScratch(), new float[expected.Length], 1 + number * 3);
            start.SignalAndWait();
            var allocated = Allocations.Of(() =>
            {
                for (var row = 0; row < count; row += batch)
                {
                    packed.Score(rows.AsSpan(row * model.Width), Math.Min(batch, count - row), scratch, scores.AsSpan(row * model.Outputs));
                }
            });
            if (allocated != 0 || !scores.AsSpan().SequenceEqual(expected))
            {
                failures.Add($"batches of {batch}: {allocated} bytes, {scores.Zip(expected).Count(pair => pair.First != pair.Second)} other scores");
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.IsEmpty(failures, string.Join(Environment.NewLine, failures));
    }

    [TestMethod]
    public void An_ensemble_without_trees_scores_its_offset()
    {
        var model = new TreeModel([Ensemble([], features: 3), Ensemble([new([], [], [], [], [2.5])], features: 3)]);
        var packed = PackedTrees.Of(model);
        var scores = new float[140];
        packed.Score(new float[70 * model.Width], 70, packed.CreateScratch(), scores);
        CollectionAssert.AreEqual(Enumerable.Repeat((float[])[0.25f, 2.75f], 70).SelectMany(row => row).ToArray(), scores);
    }

    /// <summary>Two classes' ensembles over the same rows, with a categorical set and a feature whose missing values go left.</summary>
    private static TreeModel Model(Random random, int trees, int leaves, int features)
    {
        return new([Draw(), Draw()], ClassScores.Raw);

        DecisionTreeEnsemble Draw() => Ensemble([.. Enumerable.Range(0, trees).Select(i =>
        {
            var tree = RandomTrees.Tree(random, features + 2, 1 + random.Next(leaves), chain: i % 5 == 0);
            return new DecisionTree(tree.Left, tree.Right, tree.Features, [.. tree.Features
                .Select(feature => feature == features ? 0.5f : s_grid[random.Next(s_grid.Length)])], tree.LeafValues);
        })], features) with { Sets = [[0, features - 1]], Lows = [features / 2] };
    }

    private static DecisionTreeEnsemble Ensemble(ImmutableArray<DecisionTree> trees, int features)
        => new() { FeatureCount = features, Trees = trees, Offset = 0.25, IsMean = false, Task = LearningTask.Regression };

    private static float[] Rows(Random random, TreeModel model, int count)
    {
        var rows = new float[count * model.Width];
        for (var row = 0; row < count; row++)
        {
            var own = rows.AsSpan(row * model.Width, model.Width);
            for (var i = 0; i < model.FeatureCount; i++)
            {
                own[i] = random.Next(8) switch { 0 => float.NaN, 1 => 6 * random.NextSingle() - 3, _ => s_grid[random.Next(s_grid.Length)] };
            }

            model.CompleteRow(own);
        }

        return rows;
    }

    /// <summary>The sum over the trees, those first that are not larger than a number of leaves.</summary>
    private static double Walk(DecisionTreeEnsemble ensemble, ReadOnlySpan<float> row, int smallLeaves)
    {
        var sum = ensemble.Offset;
        foreach (var isSmall in (bool[])[true, false])
        {
            foreach (var tree in ensemble.Trees)
            {
                var node = tree.LeafValues.Length <= smallLeaves == isSmall ? tree.Left.Length > 0 ? 0 : ~0 : int.MinValue;
                while (node >= 0)
                {
                    var column = tree.Features[node];
                    var goesLeft = ensemble.Sets.Length > 0 && column == ensemble.FeatureCount ? !(row[0] > 0 || row[ensemble.FeatureCount - 1] > 0)
                        : ensemble.Lows.Length > 0 && column == ensemble.FeatureCount + 1 && float.IsNaN(row[ensemble.FeatureCount / 2])
                            ? float.NegativeInfinity <= tree.Thresholds[node]
                        : row[column] <= tree.Thresholds[node];
                    node = goesLeft ? tree.Left[node] : tree.Right[node];
                }

                sum += node == int.MinValue ? 0 : tree.LeafValues[~node];
            }
        }

        return sum;
    }
}
