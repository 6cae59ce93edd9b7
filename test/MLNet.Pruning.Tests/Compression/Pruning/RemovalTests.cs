using MLNet.Pruning.Structure;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Pruning that removes: which groups go, how many, and what the report says.</summary>
[TestClass]
public class RemovalTests
{
    [TestMethod]
    public void The_least_important_neurons_go_with_all_that_reads_them()
    {
        // Rows of fc1 with norms 3, 1, 2 and columns of fc2 that change the order when they count.
        var network = Network.Mlp(1, 3, 1).Initialize(1).With("fc1.weight", [3, -1, 2]).With("fc1.bias", [0.5f, 0.25f, 0.125f]).With("fc2.weight", [1, 10, 1]);
        var root = network.Prune(new PruningOptions { Amount = Amount.Count(1), Granularity = Granularity.Neuron,
            GroupReduction = GroupImportance.Root }).Network;
        CollectionAssert.AreEqual(new[] { 3f, 2f }, root["fc1.weight"].Values.ToArray());
        CollectionAssert.AreEqual(new[] { 0.5f, 0.125f }, root["fc1.bias"].Values.ToArray());
        CollectionAssert.AreEqual(new[] { 1f, 1f }, root["fc2.weight"].Values.ToArray());
        foreach (var group in new[] { GroupImportance.Sum, GroupImportance.Mean })
        {
            // 3 + 1, 1 + 10, 2 + 1.
            var all = network.Prune(new PruningOptions { Amount = Amount.Count(1), Granularity = Granularity.Neuron, GroupReduction = group }).Network;
            CollectionAssert.AreEqual(new[] { 3f, -1f }, all["fc1.weight"].Values.ToArray(), group.ToString());
        }

        // 3, 10, 2.
        var largest = network.Prune(new PruningOptions { Amount = Amount.Count(2), Granularity = Granularity.Neuron,
            GroupReduction = GroupImportance.Max }).Network;
        CollectionAssert.AreEqual(new[] { -1f }, largest["fc1.weight"].Values.ToArray());
    }

    [TestMethod]
    public void By_layer_every_layer_loses_the_share_and_over_the_network_the_least_important_wherever_they_are()
    {
        var network = Network.Mlp(8, 20, 20, 3).Initialize(1);
        network = network.With("fc1.weight", [.. network["fc1.weight"].Values.ToArray().Select(value => value * 100)]);
        var byLayer = network.Prune(Amount.Fraction(0.5), granularity: Granularity.Neuron, scope: Scope.Layer).Network;
        Assert.AreEqual((10, 10), (byLayer["fc1.weight"].Shape[0], byLayer["fc2.weight"].Shape[0]));
        var together = network.Prune(new PruningOptions { Amount = Amount.Fraction(0.4), Granularity = Granularity.Neuron, Normalize = false,
            GroupReduction = GroupImportance.Root }).Network;
        Assert.AreEqual((20, 4), (together["fc1.weight"].Shape[0], together["fc2.weight"].Shape[0]));
        var only = network.Prune(Amount.Fraction(0.5), granularity: Granularity.Unit, scope: Scope.Network.Only("fc2")).Network;
        Assert.AreEqual((20, 10), (only["fc1.weight"].Shape[0], only["fc2.weight"].Shape[0]));
    }

    [TestMethod]
    [DataRow(null, 112, 8)]
    [DataRow(1, 105, 6)]
    [DataRow(8, 104, 8)]
    [DataRow(32, 96, 8)]
    public void Widths_of_dense_convolutions_are_rounded_to_the_nearest_multiple(int? alignment, int wide, int narrow)
    {
        // 150 filters lose 30%: 105; 8 lose 30%: 6, or by rule stay below what one block of channels holds.
        var network = Network.Sequential([3, 8, 8], Layer.Conv2d(150, 3), Layer.Relu(), Layer.Conv2d(8, 3), Layer.GlobalAveragePool(), Layer.Flatten(),
            Layer.Dense(2)).Initialize(1);
        var pruned = network.Prune(new PruningOptions { Amount = Amount.Fraction(0.3), Granularity = Granularity.Filter, Scope = Scope.Layer,
            Alignment = alignment }).Network;
        Assert.AreEqual(wide, pruned["conv1.weight"].Shape[0]);
        Assert.AreEqual(narrow == 8 && alignment is null or 32 ? 6 : narrow, pruned["conv2.weight"].Shape[0]);
    }

    [TestMethod]
    public void A_target_of_multiply_adds_or_parameters_is_met_and_not_far_undercut()
    {
        var network = Network.FromOnnx(Zoo.Network("resnet18").Path);
        foreach (var share in new[] { 0.3, 0.5, 0.8 })
        {
            var byWork = network.Prune(new PruningOptions { Amount = Amount.MultiplyAdds(share), Granularity = Granularity.Filter, Alignment = 1 }).Network;
            var work = NetworkCost.Of(byWork).Total.MultiplyAdds!.Value / (double)NetworkCost.Of(network).Total.MultiplyAdds!.Value;
            Assert.IsLessThanOrEqualTo(1 - share, work);
            Assert.IsGreaterThan(1 - share - 0.02, work);
            var bySize = network.Prune(new PruningOptions { Amount = Amount.Parameters(share), Granularity = Granularity.Unit, Scope = Scope.Layer,
                Alignment = 1 }).Network;
            var size = bySize.ParameterCount / (double)network.ParameterCount;
            Assert.IsLessThanOrEqualTo(1 - share, size);
            Assert.IsGreaterThan(1 - share - 0.02, size);
        }
    }

    [TestMethod]
    public void Never_is_a_layer_emptied()
    {
        var network = Network.FromOnnx(Zoo.Network("mobilenet_v3_small").Path);
        var pruned = network.Prune(new PruningOptions { Amount = Amount.Fraction(0.999), Granularity = Granularity.Unit, Alignment = 1 }).Network;
        Assert.IsTrue(pruned.Parameters.All(parameter => parameter.Count > 0));
        Assert.IsLessThan(network.ParameterCount / 100, pruned.ParameterCount);
    }

    [TestMethod]
    public void An_unreachable_target_names_what_is_left()
    {
        var network = Network.Mlp(64, 10, 10).Initialize(1);
        var error = Assert.ThrowsExactly<PruningTargetException>(() =>
            network.Prune(new PruningOptions { Amount = Amount.Parameters(0.95), Granularity = Granularity.Neuron }));
        // One neuron left: 64 weights and a bias in, 10 weights and 10 biases out.
        StringAssert.Contains(error.Message, "still has 85");
    }

    [TestMethod]
    [DataRow("tiny_resnet")]
    [DataRow("resnet18")]
    public void A_residual_block_removed_equals_its_parameters_at_zero(string name)
    {
        var model = Zoo.Network(name);
        var network = Network.FromOnnx(model.Path);
        var blocks = BlockRemoval.Find(network, layers: false);
        Assert.IsNotEmpty(blocks);
        var folder = Directory.CreateTempSubdirectory("blocks");
        try
        {
            foreach (var block in blocks)
            {
                var (masked, removed) = (Path.Combine(folder.FullName, "masked.onnx"), Path.Combine(folder.FullName, "removed.onnx"));
                network.WithParameters(block.Parameters.Select(parameter => network[parameter].WithValues(new float[network[parameter].Count])))
                    .SaveOnnx(masked);
                BlockRemoval.Remove(network, [block]).SaveOnnx(removed);
                var inputs = model.Draw(seed: 2);
                Close.AreEqual(Reference.Run(masked, inputs).Single().Value.Values, Reference.Run(removed, inputs).Single().Value.Values, 1e-5, block.Name);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [TestMethod]
    public void Half_of_the_blocks_go_and_layers_of_equal_shape_can_too()
    {
        // ResNet-18 adds its input to itself unchanged in five of its eight blocks.
        var resnet = Network.FromOnnx(Zoo.Network("resnet18").Path);
        var pruned = resnet.Prune(Amount.Fraction(0.6), granularity: Granularity.Block).Network;
        Assert.AreEqual(5, resnet.Nodes.Count(node => node.Operator == "Add") - 3);
        Assert.AreEqual(3 + 2, pruned.Nodes.Count(node => node.Operator == "Add"));
        var mlp = Network.Mlp(4, 8, 8, 8, 2).Initialize(1);
        mlp = mlp.With("fc2.weight", [.. mlp["fc2.weight"].Values.ToArray().Select(value => value / 100)]);
        var shallow = mlp.Prune(Amount.Fraction(0.5), granularity: Granularity.Layer).Network;
        CollectionAssert.AreEqual(new[] { "fc1", "relu1", "relu2", "fc3", "relu3", "fc4" }, shallow.Nodes.Select(node => node.Name).ToArray());
    }

    [TestMethod]
    public void Blocks_in_scope_are_counted_alone_and_the_others_stay()
    {
        var resnet = Network.FromOnnx(Zoo.Network("resnet18").Path);
        string[] all = [.. BlockRemoval.Find(resnet, layers: false).Select(block => block.Name)];
        Assert.HasCount(5, all);
        string[] Left(Scope scope, Amount amount, Schedule? schedule = null) => [.. BlockRemoval.Find(resnet.Prune(new PruningOptions
        {
            Granularity = Granularity.Block,
            Scope = scope,
            Amount = amount,
            Schedule = schedule ?? Schedule.OneShot,
        }).Network, layers: false).Select(block => block.Name)];

        // One of two: by hand the one of the smaller mean magnitude.
        double Magnitude(string name) => BlockRemoval.Find(resnet, layers: false).Single(block => block.Name == name).Parameters
            .Select(parameter => resnet[parameter])
            .Where(parameter => parameter is { Trainable: true, Shape.Length: > 1 }).SelectMany(parameter => parameter.Values.ToArray())
            .Average(value => Math.Abs((double)value));
        var least = new[] { all[0], all[3] }.MinBy(Magnitude);
        CollectionAssert.AreEqual(all.Where(name => name != least).ToArray(), Left(Scope.Network.Only(all[0], all[3]), Amount.Fraction(0.5)));
        CollectionAssert.AreEqual(all[2..], Left(Scope.Network.Only(all[0], all[1]), Amount.Fraction(1), Schedule.Linear(2)));
        CollectionAssert.AreEqual(new[] { all[4] }, Left(Scope.Network.Except(all[4]), Amount.Count(4)));
        var error = Assert.ThrowsExactly<ArgumentException>(() => Left(Scope.Network.Except(all), Amount.Fraction(0.5)));
        StringAssert.Contains(error.Message, all[0]);
    }

    [TestMethod]
    public void Masks_are_cut_with_the_weights_they_hold()
    {
        var network = Network.Mlp(4, 6, 2).Initialize(3);
        var masked = network.Prune(Amount.Fraction(0.5), scope: Scope.Layer);
        var smaller = masked.Prune(Amount.Count(2), granularity: Granularity.Neuron);
        foreach (var (name, mask) in smaller.Masks)
        {
            Assert.AreEqual(smaller.Network[name].Count, mask.Count);
            var values = smaller.Network[name].Values.ToArray();
            Assert.IsTrue(values.Select((value, i) => mask[i] == (value != 0)).All(same => same), name);
        }
    }

    [TestMethod]
    public void A_granularity_that_the_network_lacks_is_refused()
        => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() =>
            Network.Mlp(4, 3, 2).Initialize(1).Prune(Amount.Fraction(0.5), granularity: Granularity.Head)).Message,
            "No layer can be pruned with granularity 'Head': the network has fc1 (Neuron)");
}
