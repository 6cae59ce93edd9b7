namespace MLNet.Pruning.Tests.Networks;

[TestClass]
public class NetworkTests
{
    [TestMethod]
    public void Mlp_has_the_parameters_and_multiply_adds_of_its_sizes()
    {
        var network = Network.Mlp(784, 300, 100, 10);
        CollectionAssert.AreEqual(new[] { "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias" },
            network.Parameters.Select(p => p.Name).ToArray());
        Assert.AreEqual(784L * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10, network.ParameterCount);
        Assert.AreEqual(784L * 300 + 300 * 100 + 100 * 10, network.MultiplyAdds());
        Assert.AreEqual(10, network.Output.RowSize);
        Assert.IsFalse(network.IsInitialized);
    }

    [TestMethod]
    public void Convolutions_and_pools_have_the_shapes_of_the_textbook()
    {
        // LeNet-5 as in Caffe: 431,080 parameters, 2,293,000 multiply-adds.
        var network = Network.Sequential([1, 28, 28], Layer.Conv2d(20, 5), Layer.MaxPool(2), Layer.Conv2d(50, 5), Layer.MaxPool(2),
            Layer.Flatten(), Layer.Dense(500), Layer.Relu(), Layer.Dense(10));
        CollectionAssert.AreEqual(new[] { -1, 50, 8, 8 }, network.Tensors["conv2.out"].Shape.ToArray());
        CollectionAssert.AreEqual(new[] { -1, 800 }, network.Tensors["flatten1.out"].Shape.ToArray());
        Assert.AreEqual(431_080, network.ParameterCount);
        Assert.AreEqual(24 * 24 * 500L + 8 * 8 * 25_000 + 800 * 500 + 500 * 10, network.MultiplyAdds());
    }

    [TestMethod]
    public void Table_lists_layers_with_shapes_parameters_and_multiply_adds()
    {
        var lines = Network.Sequential([3, 8, 8], Layer.Conv2d(4, 3, padding: 1, name: "first"), Layer.Flatten(), Layer.Dense(2)).ToString()
            .Split(Environment.NewLine);
        StringAssert.Matches(lines[0], new("layer +operator +output +parameters +multiply-adds"));
        Assert.IsTrue(lines.Any(line => line.StartsWith("first") && line.Contains("N x 4 x 8 x 8") && line.Contains("112") && line.EndsWith("6,912")),
            lines[3]);
        Assert.IsTrue(lines[^1].StartsWith("total") && lines[^1].Contains("626") && lines[^1].EndsWith("7,424"), lines[^1]);
    }

    [TestMethod]
    public void Same_seed_draws_the_same_values_within_the_bound_of_the_layer()
    {
        var network = Network.Mlp(25, 40, 3);
        var first = network.Initialize(1);
        CollectionAssert.AreEqual(first["fc1.weight"].Values.ToArray(), network.Initialize(1)["fc1.weight"].Values.ToArray());
        CollectionAssert.AreNotEqual(first["fc1.weight"].Values.ToArray(), network.Initialize(2)["fc1.weight"].Values.ToArray());
        var values = first["fc1.weight"].Values.ToArray();
        Assert.IsTrue(values.All(value => Math.Abs(value) <= 0.2f), "bound 1/sqrt(25)");
        // Uniform in [-0.2, 0.2]: variance 0.2^2 / 3; a thousand values stay within a tenth of it.
        Assert.AreEqual(0.04 / 3, values.Average(value => value * value), 0.0013);
        Assert.IsFalse(network.IsInitialized, "the network itself is unchanged");
    }

    [TestMethod]
    public void With_replaces_one_parameter_and_shares_the_others()
    {
        var network = Network.Mlp(2, 2).Initialize(1);
        var other = network.With("fc1.weight", [1, 2, 3, 4]);
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4 }, other["fc1.weight"].Values.ToArray());
        Assert.AreSame(network["fc1.bias"], other["fc1.bias"]);
        Assert.ThrowsExactly<ArgumentException>(() => network.With("fc1.weight", [1, 2, 3]));
    }

    [TestMethod]
    public void Misfits_are_refused_by_the_name_of_the_layer()
    {
        Refused("conv1", () => Network.Sequential([10], Layer.Conv2d(3, 3)));
        Refused("fc1", () => Network.Sequential([1, 4, 4], Layer.Dense(3)));
        Refused("conv1", () => Network.Sequential([1, 4, 4], Layer.Conv2d(3, 5)));
        Refused("groups", () => Network.Sequential([3, 4, 4], Layer.Conv2d(4, 3, groups: 2)));
        Refused("same", () => Network.Sequential([4], Layer.Dense(3, name: "same"), Layer.Dense(3, name: "same")));
        Refused("features", () => Network.Sequential([0], Layer.Dense(3)));
        Refused("at least one layer", () => Network.Sequential([4]));
        Refused("outputs", () => Network.Mlp(4));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Layer.Dense(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Layer.Dropout(1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Layer.MaxPool(2, padding: 2));
    }

    [TestMethod]
    public void Unknown_parameter_names_the_nearest()
    {
        var e = Assert.ThrowsExactly<ArgumentException>(() => Network.Mlp(4, 3, 2)["fc1.wieght"]);
        StringAssert.Contains(e.Message, "Nearest: 'fc1.weight'");
    }

    [TestMethod]
    public void Values_of_an_untrained_network_are_refused_with_the_way_out()
    {
        var e = Assert.ThrowsExactly<InvalidOperationException>(() => Network.Mlp(4, 2)["fc1.weight"].Values.Length);
        StringAssert.Contains(e.Message, "Initialize");
    }

    private static void Refused(string named, Func<Network> build)
        => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => build()).Message, named);
}
