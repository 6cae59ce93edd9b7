using FsCheck;
using FsCheck.Fluent;
using MLNet.Pruning.Networks.Format;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Evaluation;

[TestClass]
public class NetworkCostTests
{
    [TestMethod]
    public void Counts_a_network_by_hand()
    {
        // 3 inputs, 2 hidden, 1 output; the second hidden unit reads nothing, the third input is read by nobody.
        var network = Network.Mlp(3, 2, 1).Initialize(0)
            .With("fc1.weight", [1, 2, 0, 0, 0, 0]).With("fc1.bias", [0, 5]).With("fc2.weight", [3, 4]).With("fc2.bias", [0]);
        var cost = NetworkCost.Of(network);
        Assert.AreEqual(new LayerCost("fc1", "Gemm", 8, 3, 2, 6, 2, 6, 2, 32), cost.Layers[0]);
        Assert.AreEqual(new LayerCost("fc2", "Gemm", 3, 2, 1, 2, 2, 2, 1, 12), cost.Layers[1]);
        Assert.AreEqual(new LayerCost("total", "", 11, 5, 3, 8, 4, 8, 3, 44), cost.Total);
        Assert.AreEqual(0.5, cost.Total.Sparsity);
        StringAssert.Contains(cost.ToString(), "50.0");
    }

    [TestMethod]
    public void Convolutions_count_every_position()
    {
        var network = Network.Sequential([2, 5, 5], Layer.Conv2d(3, 3), Layer.BatchNorm(), Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(2))
            .Initialize(0);
        // Without its scale a channel ends here: its filter and the column that reads it are dead, and the shift is no path from the input.
        network = network.With("bn1.weight", [1, 0, 1]).With("bn1.bias", [0, 7, 0]);
        var cost = NetworkCost.Of(network);
        Assert.AreEqual(9L * 54, cost.Layers[0].MultiplyAdds);
        Assert.AreEqual(9L * 36, cost.Layers[0].LiveMultiplyAdds);
        Assert.AreEqual(4, cost.Layers.Single(layer => layer.Name == "fc1").LiveMultiplyAdds);
        Assert.AreEqual(4L * 12, cost.Layers.Single(layer => layer.Name == "bn1").DenseBytes, "running statistics are stored too");
        Assert.AreEqual(2, cost.Layers.Single(layer => layer.Name == "bn1").LiveNonZeros);
    }

    [TestMethod]
    public void Live_weights_are_those_on_a_path_found_by_walking_every_path()
        => Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var random = new Random(seed);
            int[] sizes = [.. Enumerable.Range(0, 4).Select(_ => random.Next(1, 5))];
            var network = Network.Mlp(sizes[0], sizes[1..]).Initialize(seed);
            foreach (var parameter in network.Parameters)
            {
                network = network.With(parameter.Name, [.. parameter.Values.ToArray().Select(value => random.Next(3) == 0 ? value : 0f)]);
            }

            var cost = NetworkCost.Of(network);
            var onPath = Walk(network, sizes);
            for (var layer = 0; layer < 3; layer++)
            {
                Assert.AreEqual(onPath[layer].Count, cost.Layers[layer].LiveMultiplyAdds);
            }
        }).QuickCheckThrowOnFailure();

    [TestMethod]
    [DataRow("Relu", false)]
    [DataRow("Softsign", false)]
    [DataRow("ThresholdedRelu", true)]
    [DataRow("PRelu", true)]
    [DataRow("Sigmoid", true)]
    public void Dense_layers_written_as_products_count_as_those_written_as_one_operator(string activation, bool steps)
    {
        var random = new Random(5);
        var mlp = Network.Mlp(5, 8, 6, 3).Initialize(2);
        foreach (var parameter in mlp.Parameters)
        {
            mlp = mlp.With(parameter.Name, [.. parameter.Values.ToArray().Select(value => random.Next(3) == 0 ? 1 + value : 0f)]);
        }

        var graph = new GraphProto { Name = "products" };
        foreach (var parameter in mlp.Parameters)
        {
            // A product reads the weight the other way round.
            float[] values = parameter.Shape is [var units, var inputs]
                ? [.. Enumerable.Range(0, inputs).SelectMany(i => Enumerable.Range(0, units).Select(u => parameter.Values[u * inputs + i]))]
                : [.. parameter.Values];
            graph.Initializer.Add(OnnxTensor.FromFloats(parameter.Name, [.. parameter.Shape.Reverse().Select(size => (long)size)], values));
        }

        graph.Initializer.Add(OnnxTensor.FromFloats("slope", [1], [0.2f]));
        for (var layer = 1; layer <= 3; layer++)
        {
            var (x, y) = (layer == 1 ? "x" : $"a{layer - 1}", layer == 3 ? "y" : $"s{layer}");
            graph.Node.Add(new NodeProto { Name = $"fc{layer}", OpType = "MatMul", Input = { x, $"fc{layer}.weight" }, Output = { $"p{layer}" } });
            graph.Node.Add(new NodeProto { Name = $"add{layer}", OpType = "Add", Input = { $"fc{layer}.bias", $"p{layer}" }, Output = { y } });
            if (layer < 3)
            {
                graph.Node.Add(new NodeProto { Name = $"act{layer}", OpType = activation, Input = { y }, Output = { $"a{layer}" } });
                graph.Node[^1].Input.AddRange(activation == "PRelu" ? ["slope"] : []);
            }
        }

        TensorShapeProto.Types.Dimension Fixed(int size) => new() { DimValue = size };
        var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" }, Fixed(5) } };
        if (steps)
        {
            shape.Dim.Insert(1, Fixed(4));
        }

        graph.Input.Add(new ValueInfoProto { Name = "x", Type = new() { TensorType = new() { ElemType = 1, Shape = shape } } });
        graph.Output.Add(new ValueInfoProto { Name = "y", Type = new() { TensorType = new() { ElemType = 1 } } });
        var path = Path.Combine(Path.GetTempPath(), $"products-{Guid.NewGuid():N}.onnx");
        try
        {
            OnnxFile.Write(new() { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = 17 } }, Graph = graph }, path);
            var (one, products) = (NetworkCost.Of(mlp), NetworkCost.Of(Network.FromOnnx(path)));
            Assert.IsLessThan(one.Total.NonZeros, one.Total.LiveNonZeros, "some weights lead nowhere");
            foreach (var layer in one.Layers)
            {
                var written = products.Layers.Where(other => other.Name == layer.Name || other.Name == layer.Name.Replace("fc", "add")).ToArray();
                Assert.AreEqual(layer.LiveNonZeros, written.Sum(other => other.LiveNonZeros), layer.Name);
                Assert.AreEqual((steps ? 4 : 1) * layer.LiveMultiplyAdds, written.Sum(other => other.LiveMultiplyAdds), layer.Name);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The weights of each layer met on any path from an input to an output along non-zero weights.</summary>
    private static HashSet<(int, int)>[] Walk(Network network, int[] sizes)
    {
        HashSet<(int, int)>[] met = [[], [], []];
        float Weight(int layer, int to, int from) => network[$"fc{layer + 1}.weight"].Values[to * sizes[layer] + from];
        for (var a = 0; a < sizes[0]; a++)
        {
            for (var b = 0; b < sizes[1]; b++)
            {
                for (var c = 0; c < sizes[2]; c++)
                {
                    for (var d = 0; d < sizes[3]; d++)
                    {
                        if (Weight(0, b, a) != 0 && Weight(1, c, b) != 0 && Weight(2, d, c) != 0)
                        {
                            met[0].Add((b, a));
                            met[1].Add((c, b));
                            met[2].Add((d, c));
                        }
                    }
                }
            }
        }

        return met;
    }
}
