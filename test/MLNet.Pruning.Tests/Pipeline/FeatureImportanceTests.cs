using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Tests.Compression.Trees;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.Pruning.Tests.Pipeline;

/// <summary>ML.NET's permutation feature importance on our transformers: a label that one feature makes alone needs that feature alone.</summary>
[TestClass]
public class FeatureImportanceTests
{
    private readonly MLContext _ml = new(1);

    [TestMethod]
    public void The_feature_that_makes_a_number_is_the_one_that_a_network_misses()
    {
        var rows = Rows();
        var model = _ml.Regression.Trainers.NeuralNetwork(Network.Mlp(3, 8, 1), "Number", epochs: 60, learningRate: 0.02).Fit(rows);
        var pruned = _ml.Transforms.Prune(0.2).Fit(model.Transform(rows));
        foreach (var step in new[] { model, pruned })
        {
            double[] losses = [.. _ml.Regression.PermutationFeatureImportance(step, rows, "Number", permutationCount: 3).Select(found => found.RSquared.Mean)];
            Assert.HasCount(3, losses);
            Assert.IsLessThan(-0.5, losses[1]);
            Assert.IsGreaterThan(-0.1, losses[0]);
            Assert.IsGreaterThan(-0.1, losses[2]);
        }
    }

    [TestMethod]
    public void The_feature_that_makes_a_class_is_the_one_that_a_network_misses()
    {
        var rows = Rows();
        var sides = _ml.BinaryClassification.Trainers.NeuralNetwork(Network.Mlp(3, 8, 1), "Side", epochs: 60, learningRate: 0.02).Fit(rows);
        var areas = _ml.BinaryClassification.PermutationFeatureImportance(sides, rows, "Side").Select(found => found.AreaUnderRocCurve.Mean);
        Assert.AreEqual(1, areas.Index().MinBy(area => area.Item).Index);
        var classes = _ml.MulticlassClassification.Trainers.NeuralNetwork(Network.Mlp(3, 8, 2), "Class", epochs: 60, learningRate: 0.02).Fit(rows);
        var losses = _ml.MulticlassClassification.PermutationFeatureImportance(classes, rows, "Class").Select(found => found.MicroAccuracy.Mean);
        Assert.AreEqual(1, losses.Index().MinBy(loss => loss.Item).Index);
    }

    [TestMethod]
    public void Pruned_trees_are_taken_too()
    {
        var rows = _ml.View(TreeTables.Make(400, seed: 1));
        var trees = _ml.Transforms.PruneTrees(_ml.Fit("boosted numbers", rows, trees: 20), Budget.Trees(10)).Fit(rows);
        var losses = _ml.Regression.PermutationFeatureImportance(trees, rows).Select(found => found.RSquared.Mean).ToArray();
        Assert.IsTrue(losses.Any(loss => loss < -0.05), string.Join(' ', losses));
    }

    [TestMethod]
    public void A_network_of_several_columns_names_them()
    {
        var network = new Network(new NetworkParts
        {
            Inputs = [new("a", [-1, 3]), new("b", [-1, 3])],
            Outputs = ["y"],
            Nodes = [new Node("sum", "Add", ["a", "b"], ["s"]), new Node("fc1", "Gemm", ["s", "fc1.weight"], ["y"], [new("transB", 1L)])],
            Parameters = [Network.Mlp(3, 1).Initialize(1)["fc1.weight"]],
        });
        var model = _ml.Transforms.LoadNetwork(network, ["Features", "Features"], labelColumnName: "Number").Fit(Rows());
        var error = Assert.ThrowsExactly<NotSupportedException>(() => _ml.Regression.PermutationFeatureImportance(model, Rows(), "Number"));
        StringAssert.Contains(error.Message, "several columns (Features, Features)");
    }

    private IDataView Rows()
    {
        var random = new Random(2);
        return _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 300).Select(_ =>
        {
            float[] features = [random.NextSingle(), random.NextSingle(), random.NextSingle()];
            return new Row { Features = features, Number = 3 * features[1], Side = features[1] > 0.5, Class = features[1] > 0.5 ? 1u : 0 };
        }).ToArray());
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public float Number { get; set; }

        public bool Side { get; set; }

        [KeyType(2)]
        public uint Class { get; set; }
    }
}
