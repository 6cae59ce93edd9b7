using MLNet.Pruning.Structure;
using MLNet.Pruning.Tests.Pipeline;
using Microsoft.ML;

namespace MLNet.Pruning.Tests.Compression.Pruning;

/// <summary>What amounts are shares of, against counts by hand: of the dense network, or of what is left where they say so.</summary>
[TestClass]
public class AmountTests
{
    /// <summary>640, 640 and 160 weights; widths of 32 and 20.</summary>
    private static Network Perceptron { get; } = Network.Mlp(20, 32, 20, 8).Initialize(1);

    [TestMethod]
    public void Half_of_the_weights_twice_is_half_and_of_what_is_left_three_quarters()
    {
        foreach (var granularity in new[] { Granularity.Weight, Granularity.Row, Granularity.WeightBlock(2, 2), Granularity.Slice(1) })
        {
            foreach (var scope in new[] { Scope.Network, Scope.Layer, Scope.Distributed(Distribution.Lamp), Scope.Distributed(Distribution.ErdosRenyi) })
            {
                var half = Perceptron.Prune(Amount.Fraction(0.5), granularity: granularity, scope: scope);
                var again = half.Prune(Amount.Fraction(0.5), Importance.Random(1), granularity, scope);
                Assert.IsTrue(half.Masks.All(mask => mask.Value.ToArray().SequenceEqual(again.Masks[mask.Key].ToArray())),
                    $"{granularity}, {scope.Distribution}");
                var quarter = half.Prune(Amount.Fraction(0.5).OfRemaining(), granularity: granularity, scope: scope);
                Assert.AreEqual(Structures(half, granularity), 2 * Structures(quarter, granularity), $"{granularity}, {scope.Distribution}");
                Assert.AreEqual(Structures(Perceptron.Prune(Amount.Count(0), granularity: granularity), granularity), 2 * Structures(half, granularity),
                    $"{granularity}, {scope.Distribution}");
            }
        }
    }

    [TestMethod]
    public void A_network_made_permanent_has_its_zeros_go_first()
    {
        var half = Perceptron.Prune(Amount.Fraction(0.5)).Network;
        Assert.IsTrue(Perceptron.Parameters.All(parameter =>
            half.Prune(Amount.Fraction(0.5)).Network[parameter.Name].Values.SequenceEqual(half[parameter.Name].Values)));
    }

    [TestMethod]
    public void Less_than_is_gone_is_refused_with_both_and_what_to_ask_for()
    {
        var half = Perceptron.Prune(Amount.Fraction(0.5));
        var error = Assert.ThrowsExactly<PruningTargetException>(() => half.Prune(Amount.Count(100))).Message;
        foreach (var part in new[] { "100 of 1440", "720", "OfRemaining" })
        {
            StringAssert.Contains(error, part);
        }

        Assert.AreEqual(620, Kept(half.Prune(Amount.Count(100).OfRemaining())));
        Assert.AreEqual(340, Kept(half.Prune(Amount.Count(1100))));
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => half.Prune(Amount.Count(721).OfRemaining())).Message, "720");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Amount.Below(1).OfRemaining()).Message, "Below(1)");
        Assert.AreEqual("Fraction(0.2).OfRemaining()", Amount.Fraction(0.2).OfRemaining().OfRemaining().ToString());
    }

    [TestMethod]
    public void Half_of_the_units_twice_is_half_however_the_network_is_carried()
    {
        var path = Path.GetTempFileName();
        foreach (var scope in new[] { Scope.Network, Scope.Layer })
        {
            var half = Perceptron.Prune(Amount.Fraction(0.5), granularity: Granularity.Neuron, scope: scope);
            half.Network.SaveOnnx(path);
            foreach (var carried in new[] { half.Network, Network.FromOnnx(path) })
            {
                CollectionAssert.AreEqual(Widths(half.Network), Widths(carried.Prune(Amount.Fraction(0.5), Importance.Random(1), Granularity.Neuron,
                    scope).Network));
                Assert.AreEqual(13, Widths(carried.Prune(Amount.Fraction(0.5).OfRemaining(), null, Granularity.Neuron, scope).Network).Sum(),
                    "a quarter of 52");
                Assert.AreEqual(52 - 39, Widths(carried.Prune(Amount.Fraction(0.75), null, Granularity.Neuron, scope).Network).Sum(), "three quarters of 52");
            }
        }

        File.Delete(path);
    }

    [TestMethod]
    public void A_share_of_each_width_left_is_one_of_its_own()
    {
        var narrow = Perceptron.Prune(Amount.Fraction(0.75), granularity: Granularity.Neuron, scope: Scope.Layer.Only("fc1")).Network;
        CollectionAssert.AreEqual(new[] { 8, 20 }, Widths(narrow));
        CollectionAssert.AreEqual(new[] { 4, 10 }, Widths(narrow.Prune(Amount.Fraction(0.5).OfRemaining(), null, Granularity.Neuron, Scope.Layer).Network));
        CollectionAssert.AreEqual(new[] { 8, 10 }, Widths(narrow.Prune(Amount.Fraction(0.5), null, Granularity.Neuron, Scope.Layer).Network));
        // 26 of 52 are to stay: 24 of the 28 that are left went before.
        Assert.AreEqual(26, Widths(narrow.Prune(Amount.Fraction(0.5), null, Granularity.Neuron).Network).Sum());
    }

    [TestMethod]
    public void A_number_of_units_is_one_of_each_layer_where_layers_are_not_compared()
    {
        CollectionAssert.AreEqual(new[] { 29, 17 }, Widths(Perceptron.Prune(Amount.Count(3), null, Granularity.Neuron, Scope.Layer).Network));
        Assert.AreEqual(49, Widths(Perceptron.Prune(Amount.Count(3), null, Granularity.Neuron).Network).Sum());
        // Halves to even ones, in each width: 2.5 of 5 and 5.5 of 11.
        var odd = Network.Mlp(4, 5, 11, 2).Initialize(1);
        CollectionAssert.AreEqual(new[] { 3, 5 }, Widths(odd.Prune(Amount.Fraction(0.5), null, Granularity.Neuron, Scope.Layer).Network));
    }

    [TestMethod]
    public void Units_below_a_threshold_go_and_no_others()
    {
        // Rows of a layer whose weights are four times as large: a threshold of all layers together would take none of them.
        var network = Perceptron.With("fc2.weight", Array.ConvertAll(Perceptron["fc2.weight"].Values.ToArray(), value => 4 * value));
        float[] Norms(Network of, string layer) => [.. Enumerable.Range(0, of[layer].Shape[0]).Select(row => of[layer].Values
            .Slice(row * of[layer].Shape[1], of[layer].Shape[1]).ToArray().Sum(MathF.Abs))];
        foreach (var (amount, threshold) in new (Amount, Func<float[], double>)[]
        {
            (Amount.BelowMean(0.95), norms => 0.95 * norms.Average(norm => (double)norm)), (Amount.BelowMaximum(0.8), norms => 0.8 * norms.Max()),
            (Amount.Below(4.5), _ => 4.5),
        })
        {
            foreach (var scope in new[] { Scope.Network, Scope.Layer })
            {
                var pruned = network.Prune(new PruningOptions { Amount = amount, Granularity = Granularity.Neuron, Scope = scope, Normalize = false,
                    GroupReduction = GroupImportance.Root }).Network;
                foreach (var layer in new[] { "fc1", "fc2" })
                {
                    var norms = Norms(network, layer + ".weight");
                    int[] stay = [.. Enumerable.Range(0, norms.Length).Where(unit => norms[unit] >= threshold(norms))];
                    stay = stay.Length > 0 ? stay : [Array.IndexOf(norms, norms.Max())];
                    CollectionAssert.AreEqual(stay.Select(unit => network[layer + ".bias"].Values[unit]).ToArray(),
                        pruned[layer + ".bias"].Values.ToArray(), $"{amount} {scope} {layer}");
                }
            }
        }
    }

    /// <summary>A width that is down to one still counts among those of the dense network.</summary>
    [TestMethod]
    public void A_width_of_one_counts_with_what_went_of_it()
    {
        var one = Perceptron.Prune(Amount.Count(31), granularity: Granularity.Neuron, scope: Scope.Network.Only("fc1")).Network;
        CollectionAssert.AreEqual(new[] { 1, 20 }, Widths(one));
        CollectionAssert.AreEqual(new[] { 1, 20 }, Widths(one.Prune(Amount.Fraction(0.5), granularity: Granularity.Neuron).Network),
            "31 of 52 are more than half");
        CollectionAssert.AreEqual(new[] { 1, 12 }, Widths(one.Prune(Amount.Fraction(0.75), granularity: Granularity.Neuron).Network));
    }

    [TestMethod]
    public void Shares_of_the_cost_are_of_the_dense_network()
    {
        var dense = Network.Mlp(100, 200, 100, 50).Initialize(2);
        foreach (var (amount, cost) in new (Func<double, Amount>, Func<Network, long>)[] { (Amount.Parameters, network => network.ParameterCount),
            (Amount.MultiplyAdds, network => network.MultiplyAdds()) })
        {
            var half = dense.Prune(amount(0.5), granularity: Granularity.Neuron).Network;
            // Within one unit, which is 201 weights at most.
            Assert.AreEqual(cost(dense) / 2.0, cost(half), 300, amount(0.5).ToString());
            Assert.AreEqual(cost(half), cost(half.Prune(amount(0.5), granularity: Granularity.Neuron).Network), amount(0.5).ToString());
            Assert.AreEqual(cost(dense) / 4.0, cost(half.Prune(amount(0.75), granularity: Granularity.Neuron).Network), 300);
            Assert.AreEqual(cost(half) / 2.0, cost(half.Prune(amount(0.5).OfRemaining(), granularity: Granularity.Neuron).Network), 300);
        }
    }

    [TestMethod]
    public void Half_of_the_blocks_twice_is_half()
    {
        var path = Path.GetTempFileName();
        var network = Network.Sequential([6], [.. Enumerable.Range(0, 8)
            .Select(i => Layer.Residual(Layer.Dense(5, name: $"a{i}"), Layer.Relu(), Layer.Dense(6, name: $"b{i}"))), Layer.Dense(3, name: "head")])
                .Initialize(4);
        var half = network.Prune(Amount.Fraction(0.5), granularity: Granularity.Block).Network;
        Assert.AreEqual(4, Blocks(half));
        half.SaveOnnx(path);
        foreach (var carried in new[] { half, Network.FromOnnx(path) })
        {
            Assert.AreEqual(4, Blocks(carried.Prune(Amount.Fraction(0.5), granularity: Granularity.Block).Network));
            Assert.AreEqual(2, Blocks(carried.Prune(Amount.Fraction(0.5).OfRemaining(), granularity: Granularity.Block).Network));
            Assert.AreEqual(1, Blocks(carried.Prune(Amount.Count(7), granularity: Granularity.Block).Network));
        }

        File.Delete(path);
        static int Blocks(Network network) => BlockRemoval.Find(network, layers: false).Count;
    }

    [TestMethod]
    public void Chains_count_from_the_dense_network()
    {
        var ml = new MLContext(1);
        int[] After(params Amount[] amounts)
        {
            var chain = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options()));
            foreach (var amount in amounts)
            {
                chain = chain.Append(ml.Transforms.Prune(new PruningOptions { Amount = amount, Granularity = Granularity.Neuron }));
            }

            return Widths(chain.Fit(Digits.Load(ml)).LastTransformer.Network);
        }

        CollectionAssert.AreEqual(new[] { 16 }, After(Amount.Fraction(0.5)));
        CollectionAssert.AreEqual(new[] { 16 }, After(Amount.Fraction(0.5), Amount.Fraction(0.5)));
        CollectionAssert.AreEqual(new[] { 8 }, After(Amount.Fraction(0.5), Amount.Fraction(0.5).OfRemaining()));
    }

    private static int[] Widths(Network network) => [.. network.Layers.Where(layer => layer.Weights.Length > 0).SkipLast(1)
        .Select(layer => network[layer.Weights[0]].Shape[0])];

    private static long Kept(PrunedNetwork pruned) => pruned.Masks.Values.Sum(mask => (long)mask.Kept);

    private static long Structures(PrunedNetwork pruned, Granularity granularity) => pruned.Masks.Keys.Select(pruned.Member)
        .Sum(member => granularity.IsSingle ? member.Mask!.Kept
            : granularity.Structures(member.Parameter, member.Axes).Alive(member.Mask).LongCount(alive => alive));
}
