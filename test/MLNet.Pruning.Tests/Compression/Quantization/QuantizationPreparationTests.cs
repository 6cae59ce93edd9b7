using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Compression.Quantization.Preparation;
using MLNet.Pruning.Messages;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>What is done to a network of floats before it is rounded, and to biases after.</summary>
[TestClass]
public class QuantizationPreparationTests
{
    private const int Rows = 64;
    private const int Length = 6;
    private const int Model = 16;

    [TestMethod]
    public void Equalised_layers_have_the_geometric_mean_of_their_ranges_and_compute_the_same()
    {
        var network = Unbalanced(Network.Mlp(20, 24, 10).Initialize(3), 24, "fc1", "fc2");
        var equal = CrossLayerEqualization.Run(network, default);
        for (var unit = 0; unit < 24; unit++)
        {
            var (made, read) = (Row(network["fc1.weight"], unit), Column(network["fc2.weight"], unit));
            Assert.AreEqual(Math.Sqrt(made * read), Row(equal["fc1.weight"], unit), 1e-5 * made);
            Assert.AreEqual(Math.Sqrt(made * read), Column(equal["fc2.weight"], unit), 1e-5 * made);
            Assert.AreEqual(network["fc1.bias"].Values[unit] * Math.Sqrt(read / made), equal["fc1.bias"].Values[unit], 1e-5);
        }

        var rows = Draw(network, 5);
        Close.AreEqual(Run(network, rows), Run(equal, rows), 1e-5, "equalised");
    }

    [TestMethod]
    public void Through_a_depthwise_layer_and_folded_normalisation_all_three_ranges_become_equal()
    {
        var network = Network.Sequential([3, 10, 10], Layer.Conv2d(12, 3, bias: false), Layer.BatchNorm(), Layer.Relu(), Layer.Conv2d(12, 3, groups: 12),
            Layer.Relu(), Layer.Conv2d(6, 1), Layer.Flatten(), Layer.Dense(5)).Initialize(4);
        var equal = CrossLayerEqualization.Run(network, default);
        var rows = Draw(network, 5);
        Close.AreEqual(Run(network, rows), Run(equal, rows), 1e-5, "equalised");
        for (var channel = 0; channel < 12; channel++)
        {
            var range = Row(equal["conv1.weight"], channel);
            Assert.AreEqual(range, Row(equal["conv2.weight"], channel), 0.02 * range);
            Assert.AreEqual(range, Column(equal["conv3.weight"], channel), 0.02 * range);
        }
    }

    [TestMethod]
    public void With_a_scale_a_layer_equalising_brings_back_what_unequal_ranges_cost()
    {
        var network = Network.Sequential([3, 10, 10], Layer.Conv2d(12, 3), Layer.Relu(), Layer.Conv2d(12, 3, groups: 12), Layer.Relu(), Layer.Conv2d(6, 1),
            Layer.Relu(), Layer.Flatten(), Layer.Dense(5)).Initialize(4);
        var unequal = Unbalanced(Unbalanced(network, 12, "conv1", "conv2"), 12, "conv2", "conv3");
        var rows = Draw(network, 5);
        var floats = Run(network, rows);
        Close.AreEqual(floats, Run(unequal, rows), 1e-4, "unequal");
        double Error(QuantizationPreparation? preparation)
            => Squares(floats, Run(unequal.Quantize(Quantizer.Int8(perChannel: false), rows, preparation: preparation), rows));
        Assert.IsLessThan(Error(null) / 10, Error(QuantizationPreparation.Equalize));
    }

    [TestMethod]
    public void Corrected_biases_are_those_that_the_means_of_each_layers_outputs_ask_for()
    {
        var network = Network.Mlp(20, 16, 12, 5).Initialize(3);
        var rows = Draw(network, 5, shift: 0.5);
        var (plain, corrected) = (network.Quantize(Quantizer.Weights(3), rows),
            network.Quantize(Quantizer.Weights(3), rows, preparation: QuantizationPreparation.CorrectBias));
        var (floats, rounded) = (Matrix(rows, 20), Matrix(rows, 20));
        foreach (var layer in new[] { "fc1", "fc2", "fc3" })
        {
            Assert.IsFalse(plain[$"{layer}.weight"].Values.SequenceEqual(network[$"{layer}.weight"].Values));
            Assert.AreSequenceEqual(plain[$"{layer}.weight"].Values.ToArray(), corrected[$"{layer}.weight"].Values.ToArray());
            var right = Dense(floats, network[$"{layer}.weight"], [.. network[$"{layer}.bias"].Values]);
            var wrong = Dense(rounded, plain[$"{layer}.weight"], [.. network[$"{layer}.bias"].Values]);
            double[] bias = [.. Enumerable.Range(0, right[0].Length).Select(unit
                => network[$"{layer}.bias"].Values[unit] + right.Average(row => row[unit]) - wrong.Average(row => row[unit]))];
            for (var unit = 0; unit < bias.Length; unit++)
            {
                Assert.AreEqual(bias[unit], corrected[$"{layer}.bias"].Values[unit], 1e-5, $"{layer} {unit}");
            }

            (floats, rounded) = (Relu(right), Relu(Dense(rounded, plain[$"{layer}.weight"], bias)));
        }
    }

    [TestMethod]
    [DataRow("Int8(true)")]
    [DataRow("Int8(false)")]
    [DataRow("Weights(3)")]
    [DataRow("DynamicInt8(true)")]
    [DataRow("Weights(4, true, 32)")]
    public void Means_of_the_outputs_are_those_of_floats_and_layers_without_a_bias_get_one(string quantizer)
    {
        var network = Network.Sequential([3, 9, 9], Layer.Conv2d(8, 3, bias: false), Layer.Relu(), Layer.Conv2d(8, 3, groups: 8, bias: false), Layer.Relu(),
            Layer.Flatten(), Layer.Dense(10, bias: false), Layer.Relu(), Layer.Dense(4)).Initialize(6);
        var rows = Draw(network, 5, shift: 0.5);
        double[] Means(Network one) => [.. Run(one, rows).Chunk(4).Aggregate(new double[4], (sum, row) => [.. sum.Zip(row, (a, b) => a + b / Rows)])];
        var of = Notation.Parse<Quantizer>(quantizer);
        var (floats, plain) = (Means(network), Means(network.Quantize(of, rows)));
        var quantized = network.Quantize(of, rows, preparation: QuantizationPreparation.CorrectBias);
        Assert.IsTrue(new[] { "conv1", "conv2", "fc1" }.All(layer => quantizer.StartsWith("Dynamic", StringComparison.Ordinal) && layer != "fc1"
            || quantized[$"{layer}.bias"].Values.ContainsAnyExcept(0)), "there is a bias");
        var corrected = Means(quantized);
        // A bias lies on a grid of its own; what is left is as fine.
        var step = quantized["fc2.bias"].Grid is { } grid ? grid.Scales.Max() : 0;
        for (var k = 0; k < 4; k++)
        {
            Assert.AreEqual(floats[k], corrected[k], step + 1e-5);
        }

        Assert.IsGreaterThan(10 * (step + 1e-5), floats.Zip(plain, (a, b) => Math.Abs(a - b)).Max());
    }

    [TestMethod]
    public void Smoothed_units_have_the_range_of_the_closed_form_and_the_block_computes_the_same()
    {
        var network = Block();
        var rows = Draw(network, 5);
        foreach (var alpha in new[] { 0, 0.5, 0.8, 1 })
        {
            var smooth = Smoothing.Run(network, alpha, (of, tensors, show) => tensors.ToList().ForEach(tensor => show(tensor, Run(of, rows, tensor))));
            Close.AreEqual(Run(network, rows), Run(smooth, rows), 1e-4, $"alpha {alpha}");
            foreach (var (tensor, weights) in new[] { ("norm1", (string[])["q", "k", "v"]), ("norm2", ["up"]) })
            {
                var (before, after) = (Largest(Run(network, rows, tensor)), Largest(Run(smooth, rows, tensor)));
                for (var j = 0; j < Model; j++)
                {
                    var (was, now) = (weights.Max(weight => Row(network[weight], j)), weights.Max(weight => Row(smooth[weight], j)));
                    var s = Math.Pow(before[j], alpha) / Math.Pow(was, 1 - alpha);
                    Assert.AreEqual(before[j] / s, after[j], 1e-4 * before[j] / s, $"{tensor} {j} {alpha}");
                    Assert.AreEqual(was * s, now, 1e-4 * was * s, $"{tensor} {j} {alpha}");
                }
            }
        }
    }

    [TestMethod]
    public void With_outlier_channels_smoothing_lets_a_block_in_integers_err_less()
    {
        var network = Block();
        var rows = Draw(network, 5);
        var floats = Run(network, rows);
        double Error(QuantizationPreparation? preparation) => Squares(floats, Run(network.Quantize(Quantizer.Int8(), rows, preparation: preparation), rows));
        var (plain, smooth) = (Error(null), Error(QuantizationPreparation.Smooth()));
        Assert.IsLessThan(plain / 2, smooth, $"{plain} -> {smooth}");
    }

    [TestMethod]
    public void Layers_that_share_what_a_normalisation_makes_with_a_sum_get_it_divided_alone()
    {
        var network = PostNorm();
        var rows = Draw(network, 5);
        var smooth = Smoothing.Run(network, 0.5, (of, tensors, show) => tensors.ToList().ForEach(tensor => show(tensor, Run(of, rows, tensor))));
        Close.AreEqual(Run(network, rows), Run(smooth, rows), 1e-4, "as before");
        foreach (var (tensor, weights) in new[] { ("norm1", (string[])["q", "k", "v"]), ("norm2", ["up"]) })
        {
            // The sum reads what it did, the layers one tensor that is divided.
            Close.AreEqual(Run(network, rows, tensor), Run(smooth, rows, tensor), 1e-4, tensor);
            var divided = smooth.Nodes.Where(node => node.Inputs.Length > 1 && weights.Contains(node.Inputs[1])).Select(node => node.Inputs[0])
                .Distinct().Single();
            var (before, after) = (Largest(Run(network, rows, tensor)), Largest(Run(smooth, rows, divided)));
            for (var j = 0; j < Model; j++)
            {
                var s = Math.Sqrt(before[j] / weights.Max(weight => Row(network[weight], j)));
                Assert.AreEqual(before[j] / s, after[j], 1e-4 * before[j] / s, $"{tensor} {j}");
            }
        }

        var floats = Run(network, rows);
        double Error(QuantizationPreparation? preparation) => Squares(floats, Run(network.Quantize(Quantizer.Int8(), rows, preparation: preparation), rows));
        var (plain, small) = (Error(null), Error(QuantizationPreparation.Smooth()));
        Assert.IsLessThan(plain / 2, small, $"{plain} -> {small}");
    }

    /// <summary>The block with its normalisations behind the sums, as BERT has them.</summary>
    private static Network PostNorm()
    {
        var network = Block();
        return new(network.Parts with
        {
            Nodes = [.. network.Nodes.Select(node => node.Name switch
            {
                "first" => node.WithInputs(["norm1", "out"]),
                "second" => node.WithInputs(["norm2", "narrow"]),
                _ => node,
            })],
        });
    }

    [TestMethod]
    public void What_cannot_be_prepared_is_refused()
    {
        var network = Network.Sequential([4], Layer.Dense(3), Layer.Tanh(), Layer.Dense(2)).Initialize(1);
        var rows = Draw(network, 1);
        Assert.Contains("No layers can be equalised", Assert.Throws<ArgumentException>(()
            => network.Quantize(Quantizer.Weights(4), rows, preparation: QuantizationPreparation.Equalize)).Message);
        Assert.Contains("No dense layer can be smoothed", Assert.Throws<ArgumentException>(()
            => network.Quantize(Quantizer.Weights(4), rows, preparation: QuantizationPreparation.Smooth())).Message);
        Assert.Contains("rows", Assert.Throws<InvalidOperationException>(()
            => network.Quantize(Quantizer.Weights(4), preparation: QuantizationPreparation.CorrectBias)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => QuantizationPreparation.Smooth(1.1));
        Assert.AreEqual("Equalize + Smooth(0.5) + CorrectBias",
            (QuantizationPreparation.Equalize + QuantizationPreparation.Smooth() + QuantizationPreparation.CorrectBias).ToString());
    }

    /// <summary>A block of attention and feed-forward, normalised before each, in which a few channels of what is normalised are large.</summary>
    private static Network Block()
    {
        var random = new Random(2);
        Parameter Draw(string name, double scale, params int[] shape) => new(name, [.. shape],
            [.. Enumerable.Range(0, shape.Aggregate(1, (product, size) => product * size)).Select(_ => (float)((random.NextDouble() * 2 - 1) * scale))], true,
            Initializer.Zero);
        Parameter Gains(string name) => new(name, [Model], [.. Enumerable.Range(0, Model).Select(j => j % 7 == 3 ? 40f : 1 + j / 20f)], true, Initializer.One);
        Node Norm(string name, string from) => new(name, "LayerNormalization", [from, $"{name}.scale", $"{name}.shift"], [name], [new("axis", -1L)]);
        return new(new NetworkParts
        {
            Inputs = [new("input", [TensorInfo.Batch, Length, Model])],
            Outputs = ["output"],
            Nodes =
            [
                Norm("norm1", "input"),
                new("queries", "MatMul", ["norm1", "q"], ["queries"]), new("keys", "MatMul", ["norm1", "k"], ["keys"]),
                new("values", "MatMul", ["norm1", "v"], ["values"]),
                new("turned", "Transpose", ["keys"], ["turned"], [new("perm", new long[] { 0, 2, 1 })]),
                new("scores", "MatMul", ["queries", "turned"], ["scores"]), new("attention", "Softmax", ["scores"], ["attention"], [new("axis", -1L)]),
                new("mixed", "MatMul", ["attention", "values"], ["mixed"]), new("out", "MatMul", ["mixed", "o"], ["out"]),
                new("first", "Add", ["input", "out"], ["first"]),
                Norm("norm2", "first"),
                new("wide", "MatMul", ["norm2", "up"], ["wide"]), new("shifted", "Add", ["wide", "up.bias"], ["shifted"]),
                new("gelu", "Gelu", ["shifted"], ["gelu"]), new("narrow", "MatMul", ["gelu", "down"], ["narrow"]),
                new("second", "Add", ["first", "narrow"], ["output"]),
            ],
            Parameters =
            [
                Gains("norm1.scale"), Draw("norm1.shift", 0.1, Model), Draw("q", 0.02, Model, Model), Draw("k", 0.02, Model, Model),
                Draw("v", 0.3, Model, Model), Draw("o", 0.3, Model, Model), Gains("norm2.scale"), Draw("norm2.shift", 0.1, Model),
                Draw("up", 0.1, Model, 32), Draw("up.bias", 0.1, 32), Draw("down", 0.3, 32, Model),
            ],
        });
    }

    /// <summary>The same function with units a thousandth to a thousand times as large.</summary>
    private static Network Unbalanced(Network network, int units, string made, string read)
    {
        var random = new Random(9);
        float[] factors = [.. Enumerable.Range(0, units).Select(_ => MathF.Pow(30, random.NextSingle() * 2 - 1))];
        float[] Times(string name, Func<int, float> factor) => [.. network[name].Values.ToArray().Select((value, i) => value * factor(i))];
        var (weight, reader) = (network[$"{made}.weight"], network[$"{read}.weight"]);
        var (row, isDepthwise) = (weight.Count / units, reader.Shape[1] == 1);
        var (inner, inputs) = (reader.Shape.Skip(2).Aggregate(1, (product, size) => product * size), reader.Shape[1]);
        return network.With(weight.Name, Times(weight.Name, i => factors[i / row])).With($"{made}.bias", Times($"{made}.bias", i => factors[i]))
            .With(reader.Name, Times(reader.Name, i => 1 / factors[isDepthwise ? i / inner : i / inner % inputs]));
    }

    private static double Row(Parameter weight, int index) => Slice(weight, 0, index);

    private static double Column(Parameter weight, int index) => Slice(weight, 1, index);

    /// <summary>The largest magnitude.</summary>
    private static double Slice(Parameter weight, int dimension, int index)
    {
        var inner = weight.Shape.Skip(dimension + 1).Aggregate(1, (product, size) => product * size);
        return weight.Values.ToArray().Where((_, i) => i / inner % weight.Shape[dimension] == index).Max(Math.Abs);
    }

    private static double[] Largest(float[] values) => [.. Enumerable.Range(0, Model)
        .Select(j => (double)values.Where((_, i) => i % Model == j).Max(Math.Abs))];

    private static double Squares(float[] right, float[] wrong) => right.Zip(wrong).Sum(pair => Math.Pow(pair.First - pair.Second, 2));

    private static double[][] Matrix(float[] rows, int width) => [.. rows.Chunk(width).Select(row => Array.ConvertAll(row, value => (double)value))];

    private static double[][] Dense(double[][] rows, Parameter weight, double[] bias) => Array.ConvertAll(rows, row => bias.Select((b, unit)
        => b + row.Select((value, j) => value * weight.Values[unit * row.Length + j]).Sum()).ToArray());

    private static double[][] Relu(double[][] rows) => Array.ConvertAll(rows, row => Array.ConvertAll(row, value => Math.Max(0, value)));

    private static float[] Draw(Network network, int seed, double shift = 0)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, Rows * network.RowSize).Select(_ => (float)(random.NextDouble() * 2 - 1 + shift))];
    }

    /// <summary>What ONNX Runtime computes.</summary>
    private static float[] Run(Network network, float[] rows, string? tensor = null)
    {
        network = tensor is null ? network : new Network((network.Parts with { Outputs = [tensor], AsRead = false }).Needed());
        using var session = new InferenceSession(OnnxWriter.Write(network).ToByteArray());
        using var run = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(rows, [Rows, .. network.Input.Shape.Skip(1).Select(size => (long)size)]);
        using var outputs = session.Run(run, session.InputNames, [input], [network.Output.Name]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }
}
