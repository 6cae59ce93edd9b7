using MLNet.Pruning.Networks.Graph;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Weights on grids of few values, against closed forms and brute force.</summary>
[TestClass]
public class WeightGridTests
{
    [TestMethod]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(4)]
    [DataRow(8)]
    public void Symmetric_weights_are_the_nearest_multiples_of_their_channels_largest(int bits)
    {
        var network = Network.Mlp(30, 20, 4).Initialize(5);
        var quantized = network.Quantize(Quantizer.Weights(bits));
        var highest = (1 << (bits - 1)) - 1;
        for (var unit = 0; unit < 20; unit++)
        {
            float[] before = [.. network["fc1.weight"].Values.Slice(unit * 30, 30)], after = [.. quantized["fc1.weight"].Values.Slice(unit * 30, 30)];
            var step = before.Max(Math.Abs) / highest;
            for (var i = 0; i < 30; i++)
            {
                var nearest = Enumerable.Range(-highest, 2 * highest + 1).Select(k => k * step).MinBy(value => Math.Abs(value - before[i]));
                Assert.AreEqual(nearest, after[i], 1e-6);
            }
        }
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(5)]
    public void Affine_weights_span_what_there_is_and_keep_zero(int bits)
    {
        var network = Network.Mlp(3, 2, 2).Initialize(1).With("fc1.weight", [0.2f, 0.9f, 0, -0.3f, 0.6f, 0]);
        var after = network.Quantize(Quantizer.Weights(bits, symmetric: false))["fc1.weight"].Values.ToArray();
        var levels = (1 << bits) - 1;
        foreach (var (unit, low, high) in new[] { (0, 0.0, 0.9), (1, -0.3, 0.6) })
        {
            var step = (high - low) / levels;
            var zero = Math.Round(-low / step);
            for (var i = 0; i < 3; i++)
            {
                var nearest = Enumerable.Range(0, levels + 1).Select(k => (k - zero) * step)
                    .MinBy(value => Math.Abs(value - network["fc1.weight"].Values[unit * 3 + i]));
                Assert.AreEqual(nearest, after[unit * 3 + i], 1e-6);
            }

            Assert.AreEqual(0f, after[unit * 3 + 2]);
        }
    }

    [TestMethod]
    public void Ternary_weights_have_the_least_squared_error_of_all_thresholds()
    {
        var network = Network.Mlp(12, 3, 2).Initialize(9);
        var (before, after) = (network["fc1.weight"].Values.ToArray(), network.Quantize(Quantizer.Ternary)["fc1.weight"].Values.ToArray());
        var least = before.Select(Math.Abs).Append(-1).Min(threshold =>
        {
            var large = before.Where(value => Math.Abs(value) > threshold).ToArray();
            var scale = large.Length == 0 ? 0 : large.Average(value => Math.Abs((double)value));
            return before.Sum(value => Math.Pow(value - (Math.Abs(value) > threshold ? Math.Sign(value) * scale : 0), 2));
        });
        Assert.AreEqual(least, before.Zip(after).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2)), 1e-6);
        Assert.IsLessThanOrEqualTo(3, after.Distinct().Count());
    }

    [TestMethod]
    public void Binary_weights_are_the_sign_times_the_channels_mean_magnitude()
    {
        var network = Network.Mlp(12, 3, 2).Initialize(9);
        var (before, after) = (network["fc1.weight"].Values.ToArray(), network.Quantize(Quantizer.Binary)["fc1.weight"].Values.ToArray());
        for (var i = 0; i < before.Length; i++)
        {
            var mean = before.Skip(i / 12 * 12).Take(12).Average(value => Math.Abs((double)value));
            Assert.AreEqual(before[i] < 0 ? -mean : mean, after[i], 1e-6);
        }
    }

    [TestMethod]
    public void Half_floats_are_rounded_to_nearest_and_halve_the_file()
    {
        var network = Network.Mlp(200, 300, 2).Initialize(9);
        var half = network.Quantize(Quantizer.Float16);
        Assert.AreSequenceEqual(Array.ConvertAll(network["fc1.weight"].Values.ToArray(), value => (float)(Half)value), half["fc1.weight"].Values.ToArray());
        var folder = Directory.CreateTempSubdirectory();
        network.SaveOnnx(Path.Combine(folder.FullName, "float.onnx"));
        half.SaveOnnx(Path.Combine(folder.FullName, "half.onnx"));
        Assert.IsLessThan(0.52, (double)new FileInfo(Path.Combine(folder.FullName, "half.onnx")).Length
            / new FileInfo(Path.Combine(folder.FullName, "float.onnx")).Length);
        folder.Delete(recursive: true);
        var large = Assert.Throws<ArgumentException>(() => network.With("fc2.bias", [0, 0]).With("fc1.weight", Enumerable.Repeat(7e4f, 60_000).ToArray())
            .Quantize(Quantizer.Float16));
        Assert.Contains("fc1.weight", large.Message);
    }

    [TestMethod]
    public void Pruned_weights_stay_zero()
    {
        var network = Network.Mlp(30, 20, 4).Initialize(5).Prune(Amount.Fraction(0.8)).Network;
        foreach (var quantizer in new[] { Quantizer.Weights(2), Quantizer.Weights(4, symmetric: false), Quantizer.Ternary, Quantizer.Int8() })
        {
            var quantized = network.Quantize(quantizer, Enumerable.Range(0, 300).Select(i => MathF.Sin(i)).ToArray());
            foreach (var parameter in network.Parameters.Where(parameter => parameter.Shape.Length == 2))
            {
                for (var i = 0; i < parameter.Count; i++)
                {
                    Assert.IsTrue(parameter.Values[i] != 0 || quantized[parameter.Name].Values[i] == 0, $"{quantizer} {parameter}[{i}]");
                }
            }
        }
    }

    [TestMethod]
    public void What_cannot_be_quantised_is_refused_by_name()
    {
        var network = Network.Mlp(4, 3, 2).Initialize(1);
        Assert.Contains("calibration rows", Assert.Throws<InvalidOperationException>(() => network.Quantize(Quantizer.Int8())).Message);
        Assert.Contains("multiple of the 4", Assert.Throws<ArgumentException>(() => network.Quantize(Quantizer.Int8(), new float[5])).Message);
        Assert.Contains("NaN", Assert.Throws<InvalidOperationException>(() => network.Quantize(Quantizer.Int8(), new float[] { 1, float.NaN, 0, 0 })).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Quantizer.Weights(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Quantizer.Weights(9));
        Assert.Throws<ArgumentOutOfRangeException>(() => QuantizationRange.Percentile(0));
        var quantized = network.Quantize(Quantizer.Weights(4));
        Assert.Contains("integers already", Assert.Throws<ArgumentException>(() => quantized.Quantize(Quantizer.Ternary)).Message);
    }

    [TestMethod]
    public void A_layer_that_leaves_out_several_outputs_is_quantised()
    {
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i))];
        var network = new Network(new TensorInfo("x", [3, 2, 4]), "h",
            [new Node("lstm", "LSTM", ["x", "w", "r"], ["", "h", ""], [new("hidden_size", 5L)])],
            [new Parameter("w", [1, 20, 4], Values(80), true, Initializer.Zero), new Parameter("r", [1, 20, 5], Values(100), true, Initializer.Zero)]);
        var quantized = network.Quantize(Quantizer.Weights(2));
        Assert.AreSequenceEqual(network.Nodes[0].Outputs, quantized.Nodes[0].Outputs);
        foreach (var name in new[] { "w", "r" })
        {
            Assert.IsNotNull(quantized[name].Grid, name);
            Assert.IsTrue(quantized[name].Values.ToArray().Zip(network[name].Values.ToArray()).All(pair => Math.Abs(pair.First - pair.Second) <= 0.51), name);
        }
    }

    [TestMethod]
    public void A_range_of_zero_width_is_taken()
    {
        var network = Network.Mlp(4, 3, 2).Initialize(1).With("fc1.weight", new float[12]).With("fc1.bias", new float[3]);
        var quantized = network.Quantize(Quantizer.Int8(), new float[8]);
        Assert.IsTrue(quantized["fc1.weight"].Values.ToArray().All(value => value == 0));
        Assert.IsTrue(quantized["fc2.bias"].Values.ToArray().Zip(network["fc2.bias"].Values.ToArray()).All(pair => Math.Abs(pair.First - pair.Second) < 1e-2));
    }
}
