using MLNet.Pruning.Compression.Pruning.Recoveries;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Structure.Granularities;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Compression.Pruning.Recoveries;

/// <summary>A branch of low rank beside a sparse layer: exact where what was dropped has that rank, the best there is where all is dropped.</summary>
[TestClass]
public class LowRankTests
{
    [TestMethod]
    public void A_weight_of_low_rank_with_large_entries_kept_is_computed_exactly()
    {
        // Rank 2, and single entries far from it, which are what magnitude keeps.
        var network = Network.Mlp(20, 16).Initialize(1);
        var values = LowRank(16, 20, 2, 1);
        foreach (var place in new[] { 3, 77, 150, 201, 318 })
        {
            values[place] += 5;
        }

        network = network.With("fc1.weight", values);
        Same(network, network.Prune(Amount.Fraction(0.9), Importance.L1), 2, 20);
    }

    [TestMethod]
    public void Convolutions_and_products_get_their_branch_too()
    {
        var network = Network.Sequential([2, 9, 9], Layer.Conv2d(12, 3, stride: 2, padding: 1), Layer.Relu(), Layer.Conv2d(10, 3, dilation: 2), Layer.Flatten(),
            Layer.Dense(3)).Initialize(1);
        network = network.With("conv1.weight", LowRank(12, 18, 1, 2)).With("conv2.weight", LowRank(10, 108, 2, 3));
        Same(network, network.Prune(Amount.Fraction(0.8), Importance.Random(1), scope: Scope.Network.Except("fc1")), 2, 162);
        var product = new Network(new TensorInfo("input", [-1, 20]), "out", [new("dense", "MatMul", ["input", "w"], ["out"])],
            [new("w", [20, 16], LowRank(20, 16, 2, 4), true, Initializer.KaimingUniform(20))]);
        Same(product, product.Prune(Amount.Fraction(0.8), Importance.Random(1)), 2, 20);
    }

    [TestMethod]
    public void Where_all_is_dropped_the_error_is_that_of_the_truncated_singular_values()
    {
        // A matrix of known singular values: products of orthogonal cosines.
        double[] singular = [5, 3, 1.5, 0.5, 0.25];
        var values = new float[12 * 16];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)singular.Select((s, k) => s * Cosine(12, i / 16, k + 1) * Cosine(16, i % 16, k + 2)).Sum();
        }

        var matrix = new WeightMatrix(12, 16, false);
        var (u, v) = LowRankFit.Fit(matrix, values, new WeightMask(new bool[values.Length]), 2);
        var error = Enumerable.Range(0, values.Length).Sum(i => Math.Pow(values[i] - u[i / 16].Zip(v[i % 16], (a, b) => (double)a * b).Sum(), 2));
        Assert.AreEqual(1.5 * 1.5 + 0.5 * 0.5 + 0.25 * 0.25, error, 1e-5);
        // Weights that stay are free: with them the fit of the others can only be better.
        var mask = new WeightMask([.. Enumerable.Range(0, values.Length).Select(i => i % 3 == 0)]);
        (u, v) = LowRankFit.Fit(matrix, values, mask, 2);
        double Dropped(float[][] rows, float[][] columns) => Enumerable.Range(0, values.Length).Where(i => !mask[i])
            .Sum(i => Math.Pow(values[i] - rows[i / 16].Zip(columns[i % 16], (a, b) => (double)a * b).Sum(), 2));
        var (wholeU, wholeV) = LowRankFit.Fit(matrix, values, new WeightMask(new bool[values.Length]), 2);
        Assert.IsLessThan(0.99 * Dropped(wholeU, wholeV), Dropped(u, v));
    }

    [TestMethod]
    public void Steps_fit_the_branch_anew_to_all_that_was_dropped_and_rewinding_trains_it()
    {
        var ml = new MLContext(1);
        var data = Digits.Load(ml);
        var options = new PruningOptions { Amount = Amount.Fraction(0.9), Scope = Scope.Layer, Schedule = Schedule.Linear(3), FineTuneEpochs = 1,
            Rewind = Rewind.ToInitial, Recovery = Recovery.LowRank(3) };
        TransformerChain<NeuralNetworkTransformer> Fit() => Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options(4)))
            .Append(ml.Transforms.Prune(options)).Fit(data);
        var step = Fit();
        var network = step.LastTransformer.Network;
        Assert.AreEqual(2, network.Nodes.Count(node => node.Name.EndsWith(".lowrank.sum")), "one a layer, however many steps");
        Assert.AreEqual(3, network["fc1.lowrank.v"].Shape[0]);
        Assert.AreEqual(205, step.LastTransformer.Masks["fc1.weight"].Kept);
        Assert.IsGreaterThan(48, network["fc1.lowrank.u"].Values.ToArray().Count(value => value != 0),
            "of 96, which begin at zero beside the weights before training");
        options = options with { Recovery = null };
        Assert.IsGreaterThan(ml.MulticlassClassification.Evaluate(Fit().Transform(data)).MicroAccuracy,
            ml.MulticlassClassification.Evaluate(step.Transform(data)).MicroAccuracy);
        // Saved, loaded and pruned further as any other network.
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            ml.Compression().Save(step, data.Schema, path);
            var loaded = ml.Compression().Load(path, out _);
            CollectionAssert.AreEqual(step.Transform(data).GetColumn<float[]>("Score").First(), loaded.Transform(data).GetColumn<float[]>("Score").First());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Pieces_that_are_removed_are_refused_and_small_layers_left_alone()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Recovery.LowRank(0));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            new PruningOptions { Granularity = Granularity.Neuron, Recovery = Recovery.LowRank(1) }.Validate()).Message, "'Neuron' are removed");
        var network = Network.Mlp(4, 4).Initialize(1);
        var pruned = network.Prune(Amount.Fraction(0.5));
        Assert.AreEqual(1, Recovery.LowRank(1).Recover(new(network.Unpruned(), pruned, null, null)).Network.Nodes.Length);
    }

    private static void Same(Network network, PrunedNetwork pruned, int rank, int width)
    {
        var recovered = Recovery.LowRank(rank).Recover(new(network.Unpruned(), pruned, null, null));
        var rows = RecoveryCase.Rows(20, width, 3);
        var expected = RecoveryCase.Outputs(network, rows);
        Assert.IsGreaterThan(0.1, RecoveryCase.Distance(expected, RecoveryCase.Outputs(pruned.Network, rows)), "there is something to make up for");
        Close.AreEqual(expected, RecoveryCase.Outputs(recovered.Network, rows), 1e-3, "outputs");
        foreach (var (name, mask) in pruned.Masks)
        {
            Assert.IsTrue(Enumerable.Range(0, mask.Count).All(i => mask[i] || recovered.Network[name].Values[i] == 0), "what was dropped stays zero");
        }

        // The file is one that others read.
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            recovered.Network.SaveOnnx(path);
            var input = recovered.Network.Input;
            var run = Reference.Run(path, [new ZooValues(new(input.Name, [], "float", []), [20, .. input.Shape.Skip(1)], [.. rows.SelectMany(row => row)])]);
            Close.AreEqual(expected, run.Values.Single().Values, 1e-3, "ONNX Runtime");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static float[] LowRank(int rows, int columns, int rank, int seed)
    {
        var random = new Random(seed);
        double[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextDouble() - 0.5)];
        var (u, v) = (Draw(rows * rank), Draw(columns * rank));
        return [.. Enumerable.Range(0, rows * columns).Select(i =>
            (float)Enumerable.Range(0, rank).Sum(r => u[i / columns * rank + r] * v[i % columns * rank + r]))];
    }

    /// <summary>Orthonormal over the places.</summary>
    private static double Cosine(int size, int place, int frequency) => Math.Sqrt(2.0 / size) * Math.Cos(Math.PI * (place + 0.5) * frequency / size);
}
