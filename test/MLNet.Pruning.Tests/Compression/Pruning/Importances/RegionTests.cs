using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Tests.Compression.Pruning.Importances;

/// <summary>Where a region ends.</summary>
[TestClass]
public class RegionTests
{
    [TestMethod]
    public void One_layer_after_another_ends_so_many_further_on_and_the_last_at_the_logits()
    {
        var network = Network.Sequential([5], Layer.Dense(8), Layer.Relu(), Layer.Dense(6), Layer.Tanh(), Layer.Dense(3), Layer.Softmax()).Initialize(1);
        Ends(network, "fc1", 0, "fc1");
        Ends(network, "fc1", 1, "fc2");
        Ends(network, "fc1", 2, "fc3");
        Ends(network, "fc1", 9, "fc3");
        Ends(network, "fc3", 0, "fc3");
        Ends(network, "fc3", 4, "fc3");
    }

    [TestMethod]
    public void Where_paths_part_it_ends_when_they_have_met_again()
    {
        var network = Network.Sequential([6], Layer.Dense(6, name: "first"), Layer.Residual(Layer.Dense(6, name: "second"), Layer.Relu(),
            Layer.Dense(6, name: "third")), Layer.Relu(), Layer.Dense(3, name: "head"), Layer.Relu(), Layer.Dense(2, name: "last")).Initialize(1);
        var sum = network.Nodes.Single(node => node.Operator == "Add").Name;
        Ends(network, "first", 0, "first");
        Ends(network, "first", 1, sum);
        Ends(network, "first", 2, sum);
        Ends(network, "first", 3, "head");
        Ends(network, "second", 1, "third");
        Ends(network, "third", 1, "head");
        // The first that will do.
        Assert.AreEqual(network.Nodes.Single(node => node.Name == "head").Outputs[0], Region.Output(network, network.Nodes.First(node => node.Name == "second"),
            1, tensor => tensor == network.Nodes.Single(node => node.Name == "head").Outputs[0]));
    }

    [TestMethod]
    public void A_bias_that_is_added_behind_belongs_to_the_layer()
    {
        Parameter Values(string name, params int[] shape) => new(name, [.. shape], new float[shape.Aggregate(1, (a, b) => a * b)], true,
            Initializer.KaimingUniform(4));
        var network = new Network(new TensorInfo("input", [-1, 5]), "out",
        [
            new("first", "MatMul", ["input", "w1"], ["product"]), new("shift", "Add", ["b1", "product"], ["shifted"]),
            new("act", "Relu", ["shifted"], ["hidden"]), new("second", "MatMul", ["hidden", "w2"], ["product2"]),
            new("shift2", "Add", ["product2", "b2"], ["hidden2"]), new("third", "Gemm", ["hidden2", "w3"], ["out"], [new("transB", 1L)]),
        ], [Values("w1", 5, 8), Values("b1", 8), Values("w2", 8, 4), Values("b2", 4), Values("w3", 3, 4)]);
        Ends(network, "first", 0, "shift");
        Ends(network, "first", 1, "shift2");
        Ends(network, "second", 1, "third");
    }

    private static void Ends(Network network, string layer, int layersOn, string node) => Assert.AreEqual(
        network.Nodes.Single(one => one.Name == node).Outputs[0], Region.Output(network, network.Nodes.Single(one => one.Name == layer), layersOn),
        $"{layer}, {layersOn}");
}
