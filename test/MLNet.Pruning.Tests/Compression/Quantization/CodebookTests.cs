using Microsoft.ML;
using MLNet.Pruning.Compression.Quantization;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Scoring;
using MLNet.Pruning.Tests.Pipeline;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Weights on few values.</summary>
[TestClass]
public class CodebookTests
{
    public static IEnumerable<object[]> Starts => [[CodebookStart.Linear], [CodebookStart.Density], [CodebookStart.Random(4)]];

    [TestMethod]
    public void Starts_are_where_the_paper_has_them()
    {
        float[] weights = [-2, -1, -0.5f, 0.25f, 0.5f, 1, 1.5f, 6];
        CollectionAssert.AreEqual(new double[] { -2, 0, 2, 4, 6 }, CodebookStart.Linear.Draw(weights, 5));
        // The middles of quarters of the weights.
        CollectionAssert.AreEqual(new double[] { -1, 0.25, 1, 6 }, CodebookStart.Density.Draw(weights, 4));
        CollectionAssert.AreEqual(CodebookStart.Random(4).Draw(weights, 3), CodebookStart.Random(4).Draw(weights, 3));
        Assert.IsTrue(CodebookStart.Random(4).Draw(weights, 30).All(value => weights.Contains((float)value)));
    }

    [TestMethod]
    [DynamicData(nameof(Starts))]
    public void Means_are_those_of_the_weights_nearest_to_them(CodebookStart start)
    {
        var weights = Draw(5000, 1).Order().ToArray();
        var first = start.Draw(weights, 7);
        var means = KMeans.Fit(weights, first, default);
        foreach (var group in weights.GroupBy(weight => means.MinBy(mean => Math.Abs(mean - weight))))
        {
            Assert.AreEqual(group.Average(weight => (double)weight), group.Key, 1e-6);
        }

        Assert.IsLessThan(Error(weights, first), Error(weights, means));
    }

    [TestMethod]
    public void Two_means_are_the_best_of_all_parts()
    {
        // From every start that parts the weights somewhere, the best is that of brute force.
        var weights = Draw(40, 9).Order().ToArray();
        var best = Enumerable.Range(1, weights.Length - 1)
            .Min(part => Error(weights, [weights[..part].Average(weight => (double)weight), weights[part..].Average(weight => (double)weight)]));
        var found = Enumerable.Range(1, weights.Length - 1).Min(part => Error(weights, KMeans.Fit(weights, [weights[part - 1], weights[part]], default)));
        Assert.AreEqual(best, found, 1e-9);
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(0.003)]
    [DataRow(0.1)]
    [DataRow(5)]
    public void The_value_chosen_costs_least_of_all(double price)
    {
        float[] values = [-1.5f, -0.4f, 0.3f, 0.35f, 1.2f, 2];
        long[] counts = [5000, 10, 300, 20, 0, 40, 3];
        var book = Codebook.Of(values, counts, price);
        float[] all = [0, .. values];
        double Cost(double weight, int i) => (weight - all[i]) * (weight - all[i]) + price * Math.Log2((counts.Sum() + all.Length) / (counts[i] + 1.0));
        foreach (var weight in Draw(2000, 5))
        {
            var chosen = book.Places[book.Choose(weight)];
            Assert.AreEqual(Enumerable.Range(0, all.Length).Min(i => Cost(weight, i)), Cost(weight, chosen), 1e-6, $"{weight}");
            Assert.AreEqual(all[chosen], book.Values[book.Choose(weight)]);
        }
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    [DataRow(8)]
    public void Layers_lie_on_their_values_and_zeros_stay(int bits)
    {
        var network = Network.Mlp(30, 40, 6).Initialize(2).Prune(Amount.Fraction(0.6)).Network;
        var rounded = network.Quantize(Quantizer.Codebook(bits));
        foreach (var weight in network.Parameters.Where(parameter => parameter.Shape.Length == 2))
        {
            var values = rounded[weight.Name].Values.ToArray();
            var distinct = values.Distinct().ToArray();
            Assert.IsLessThanOrEqualTo(1 << bits, distinct.Length);
            Assert.Contains(0f, distinct);
            for (var i = 0; i < values.Length; i++)
            {
                Assert.IsTrue(weight.Values[i] == 0 ? values[i] == 0
                    : Math.Abs(values[i] - weight.Values[i]) <= distinct.Min(value => Math.Abs(value - weight.Values[i])), $"{weight.Name}[{i}]");
                // bfloat16: the lower half of a float is zero.
                Assert.AreEqual(0u, BitConverter.SingleToUInt32Bits(values[i]) & 0xFFFF);
            }
        }

        Assert.IsTrue(network.Parameters.Where(parameter => parameter.Shape.Length == 1)
            .All(bias => bias.Values.SequenceEqual(rounded[bias.Name].Values)));
    }

    [TestMethod]
    public void A_bias_can_share_the_values_of_its_weight_and_a_price_makes_more_zeros()
    {
        var network = Network.Mlp(30, 40, 6).Initialize(2);
        var shared = network.Quantize(Quantizer.Codebook(3, biases: true));
        Assert.IsTrue(shared["fc1.bias"].Values.ToArray().Concat(shared["fc1.weight"].Values.ToArray()).Distinct().Count() <= 8);
        // Where most weights are zero, a zero takes the fewest bits.
        var pruned = network.Prune(Amount.Fraction(0.8)).Network;
        int Zeros(double rate) => pruned.Quantize(Quantizer.Codebook(4, rate: rate))["fc1.weight"].Values.Count(0f);
        Assert.IsLessThan(Zeros(0.3), Zeros(0));
    }

    [TestMethod]
    public void Values_out_of_range_and_layers_without_floats_are_refused()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Codebook(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Codebook(9));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Codebook(4, rate: -1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Quantizer.Codebook(4, rate: double.NaN));
        var integers = Network.Mlp(3, 2).Initialize(1).Quantize(Quantizer.Ternary);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => integers.Quantize(Quantizer.Codebook(4))).Message, "integers already");
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(0.02f)]
    public void A_value_learns_by_the_sum_of_the_gradients_of_its_weights(float price)
    {
        var network = Network.Mlp(12, 9, 4).Initialize(3).Prune(Amount.Fraction(0.4)).Network;
        float[] values = [-0.3f, -0.1f, 0.12f, 0.25f];
        var writer = new QuantizedGraph(network);
        var name = writer.RoundInTraining("fc1.weight", "fc1.weight", values, price);
        var rounded = Gradients(writer.Build());
        // The same network with the rounded weights themselves: what each of them has.
        var nearest = Codebook.Of(values);
        var book = price == 0 ? nearest : Codebook.Of(values, nearest.Count(network["fc1.weight"].Values), price);
        var weights = book.Round(network["fc1.weight"].Values);
        var plain = Gradients(network.With("fc1.weight", weights));
        for (var i = 0; i < values.Length; i++)
        {
            Assert.AreEqual(plain["fc1.weight"].Where((_, place) => weights[place] == values[i]).Sum(), rounded[name][i], 1e-5, $"value {i}");
        }

        CollectionAssert.AreEqual(plain["fc1.weight"], rounded["fc1.weight"]);
        CollectionAssert.AreEqual(plain["fc2.weight"], rounded["fc2.weight"]);
    }

    /// <summary>Gradients of a sum of outputs that are weighted, by parameter, of a network of 12 inputs and 4 outputs.</summary>
    internal static Dictionary<string, float[]> Gradients(Network network)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var parameters = network.Parameters.ToDictionary(parameter => parameter.Name, TorchGraph.View);
        foreach (var parameter in network.Parameters.Where(parameter => parameter.Trainable))
        {
            parameters[parameter.Name] = parameters[parameter.Name].clone().requires_grad_();
        }

        using var graph = new TorchGraph(network, parameters, logits: true);
        using var generator = new TorchSharp.torch.Generator(3);
        var rows = TorchSharp.torch.tensor(Enumerable.Range(0, 60).Select(i => MathF.Sin(i)).ToArray()).reshape(5, 12);
        (graph.Forward(rows, training: true, generator) * TorchSharp.torch.arange(4)).sum().backward();
        return network.Parameters.Where(parameter => parameter.Trainable)
            .ToDictionary(parameter => parameter.Name, parameter => parameters[parameter.Name].grad!.data<float>().ToArray());
    }

    [TestMethod]
    public void Training_with_values_keeps_masks_and_beats_rounding_after_it()
    {
        var ml = new MLContext(1);
        (NeuralNetworkTransformer Model, QuantizationReport Report) Fit(int epochs)
        {
            var model = Digits.Prepare(ml).Append(ml.MulticlassClassification.Trainers.NeuralNetwork(Digits.Options() with { ValidationFraction = 0.2 }))
                .Append(ml.Transforms.Prune(new PruningOptions { Amount = Amount.Fraction(0.7), FineTuneEpochs = 3 }))
                .Append(ml.Transforms.Quantize(new QuantizationOptions { Quantizer = Quantizer.Codebook(2, biases: true), Epochs = epochs, Seed = 1 }))
                .Fit(Digits.Load(ml)).LastTransformer;
            return (model, model.GetReport<QuantizationReport>());
        }

        var (rounded, trained) = (Fit(0), Fit(4));
        Assert.IsLessThan(rounded.Report.After!.Loss, trained.Report.After!.Loss);
        Assert.HasCount(4, trained.Report.Epochs);
        foreach (var (name, mask) in trained.Model.State.Masks)
        {
            var values = trained.Model.Network[name].Values.ToArray();
            Assert.IsTrue(Enumerable.Range(0, values.Length).All(i => mask[i] || values[i] == 0), name);
            Assert.IsLessThanOrEqualTo(4, values.Distinct().Count());
        }
    }

    private static double Error(float[] weights, double[] means) => weights.Sum(weight => means.Min(mean => (weight - mean) * (weight - mean)));

    private static float[] Draw(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 2)];
    }
}
