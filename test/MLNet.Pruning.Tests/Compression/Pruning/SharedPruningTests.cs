namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>Several networks that lose the same weights or structures, against means of importances sorted by hand.</summary>
[TestClass]
public class SharedPruningTests
{
    private static readonly Network[] s_networks = [Convolutional(1), Convolutional(2), Convolutional(3)];

    [TestMethod]
    public void One_mask_drops_the_weights_of_least_mean_size()
    {
        var pruned = s_networks.PruneTogether(new() { Amount = Amount.Fraction(0.7), Scope = Scope.Layer });
        foreach (var name in new[] { "conv1.weight", "fc1.weight", "fc2.weight" })
        {
            var size = s_networks[0][name].Count;
            var means = Enumerable.Range(0, size).Select(i => s_networks.Average(network => Math.Abs(network[name].Values[i]))).ToArray();
            var dropped = Enumerable.Range(0, size).OrderBy(i => means[i]).Take((int)Math.Round(0.7 * size, MidpointRounding.ToEven)).ToHashSet();
            for (var n = 0; n < s_networks.Length; n++)
            {
                for (var i = 0; i < size; i++)
                {
                    Assert.AreEqual(!dropped.Contains(i), pruned[n].Masks[name][i], $"{name}[{i}]");
                    Assert.AreEqual(dropped.Contains(i) ? 0 : s_networks[n][name].Values[i], pruned[n].Network[name].Values[i]);
                }
            }
        }
    }

    [TestMethod]
    public void One_removal_takes_the_units_of_least_mean_size_from_all()
    {
        var pruned = s_networks.PruneTogether(new() { Amount = Amount.Fraction(0.5), Granularity = Granularity.Unit, Scope = Scope.Layer,
            GroupReduction = GroupImportance.Root, Alignment = 1 });
        var sums = Enumerable.Range(0, 16).Select(unit => s_networks.Average(network =>
            network["fc1.weight"].Values.Slice(unit * 128, 128).ToArray().Sum(value => (double)Math.Abs(value)))).ToArray();
        var kept = Enumerable.Range(0, 16).OrderByDescending(unit => sums[unit]).Take(8).Order().ToArray();
        var filters = Enumerable.Range(0, 8).Select(filter =>
            s_networks.Average(network => network["conv1.weight"].Values.Slice(filter * 36, 36).ToArray().Sum(value => (double)Math.Abs(value)))).ToArray();
        var channels = Enumerable.Range(0, 8).OrderByDescending(filter => filters[filter]).Take(4).Order().ToArray();
        for (var n = 0; n < s_networks.Length; n++)
        {
            var (small, original) = (pruned[n].Network, s_networks[n]);
            CollectionAssert.AreEqual(new[] { 8, 64 }, small["fc1.weight"].Shape.ToArray());
            for (var unit = 0; unit < kept.Length; unit++)
            {
                Assert.AreEqual(original["fc1.bias"].Values[kept[unit]], small["fc1.bias"].Values[unit]);
                // A channel is 16 inputs of the dense layer.
                var row = channels.SelectMany(channel => original["fc1.weight"].Values.Slice(kept[unit] * 128 + channel * 16, 16).ToArray()).ToArray();
                CollectionAssert.AreEqual(row, small["fc1.weight"].Values.Slice(unit * 64, 64).ToArray());
            }
        }
    }

    [TestMethod]
    public void Rules_for_layers_hold_for_all_and_one_network_is_pruned_as_alone()
    {
        foreach (var options in new[]
        {
            new PruningOptions { Amount = Amount.Fraction(0.5), Granularity = Granularity.Unit, Alignment = 1,
                Layers = [LayerRule.Named("fc1", Amount.Fraction(0.25))] },
            new PruningOptions { Amount = Amount.Fraction(0.5),
                Layers = [LayerRule.OfOperator("Conv", granularity: Granularity.Kernel), LayerRule.Named("fc1", granularity: Granularity.NToM(1, 4))] },
            new PruningOptions { Importance = Importance.SynFlow, Amount = Amount.Fraction(0.9) },
            new PruningOptions { Importance = Importance.GeometricMedian, Granularity = Granularity.Filter, Alignment = 1 },
            new PruningOptions { Granularity = Granularity.WeightBlock(2, 2), Scope = Scope.Network.Only("fc1", "fc2") },
        })
        {
            var (alone, together) = (s_networks[1].Prune(options), new[] { s_networks[1] }.PruneTogether(options)[0]);
            CollectionAssert.AreEquivalent(alone.Masks.Keys.ToArray(), together.Masks.Keys.ToArray());
            foreach (var parameter in alone.Network.Parameters)
            {
                CollectionAssert.AreEqual(parameter.Values.ToArray(), together.Network[parameter.Name].Values.ToArray(), parameter.Name);
            }

            var three = s_networks.PruneTogether(options);
            foreach (var parameter in three[0].Network.Parameters)
            {
                Assert.IsTrue(three.All(other => other.Network[parameter.Name].Shape.SequenceEqual(parameter.Shape)), "one structure");
                Assert.IsTrue(three.All(other => !other.Masks.TryGetValue(parameter.Name, out var mask)
                    || mask.ToArray().SequenceEqual(three[0].Masks[parameter.Name].ToArray())), "one mask");
            }
        }
    }

    [TestMethod]
    public void Networks_of_another_structure_are_refused_by_what_differs()
    {
        void Refused(string expected, params Network[] networks)
            => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => networks.PruneTogether(new())).Message, expected);
        Refused("at least one");
        Refused("fc1.weight", Network.Mlp(4, 3, 2).Initialize(1), Network.Mlp(4, 3, 2).Initialize(2), Network.Mlp(5, 3, 2).Initialize(1));
        Refused("Networks 0 and 1", Network.Mlp(4, 3, 2).Initialize(1), Network.Mlp(4, 2).Initialize(2));
        Refused("Tanh", Network.Mlp(4, 3, 2).Initialize(1), Network.Sequential([4], Layer.Dense(3), Layer.Tanh(), Layer.Dense(2)).Initialize(2));
        Assert.ThrowsExactly<ArgumentNullException>(() => new Network[] { null! }.PruneTogether(new()));
        Assert.ThrowsExactly<InvalidOperationException>(() => s_networks.PruneTogether(new() { Importance = Importance.Taylor() }));
    }

    private static Network Convolutional(int seed) => Network.Sequential([4, 6, 6], Layer.Conv2d(8, 3), Layer.Relu(), Layer.Flatten(), Layer.Dense(16),
        Layer.Relu(), Layer.Dense(10)).Initialize(seed);
}
