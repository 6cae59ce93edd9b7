using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNet.Pruning.Compression.Pruning.Importances;
using MLNet.Pruning.Messages;
using MLNet.Pruning.Networks.Graph;
using MLNet.Pruning.Networks.Onnx;
using MLNet.Pruning.Tests.Cases;

namespace MLNet.Pruning.Tests.Compression.Quantization;

/// <summary>Ranges that are learned, by what ONNX Runtime computes with the files of floats and of integers.</summary>
[TestClass]
public class LearnedRangeTests
{
    private const int Rows = 96;

    private static readonly QuantizationRange s_learned = QuantizationRange.Learned(100);

    private static readonly Network s_dense = Network.Mlp(20, 48, 32, 6).Initialize(5);

    private static readonly Network s_convolutions = Network.Sequential([3, 10, 10], Layer.Conv2d(12, 3), Layer.BatchNorm(), Layer.Relu(),
        Layer.Residual(Layer.Conv2d(12, 3, padding: 1), Layer.Relu(), Layer.Conv2d(12, 3, padding: 1)), Layer.Relu(), Layer.MaxPool(2),
        Layer.Conv2d(12, 3, groups: 12), Layer.Relu(), Layer.GlobalAveragePool(), Layer.Flatten(), Layer.Dense(5)).Initialize(7);

    /// <summary>Networks, forms, and what share of the error of the better start is left at most: with 3 and 4 bits there is much to win.</summary>
    public static IEnumerable<object[]> Forms =>
    [
        ["dense", "Weights(3)", 0.8], ["dense", "Weights(4)", 0.8], ["dense", "Weights(4, false)", 0.9], ["dense", "Weights(4, true, 16)", 0.8],
        ["dense", "Weights(8)", 1.0], ["dense", "Int8", 1.0], ["dense", "Int8(false)", 1.0], ["dense", "DynamicInt8", 1.0],
        ["convolutions", "Weights(3)", 0.8], ["convolutions", "Weights(4)", 0.8], ["convolutions", "Int8", 1.0], ["convolutions", "Int8(false)", 1.0],
    ];

    [TestMethod]
    [DynamicData(nameof(Forms))]
    public void The_outputs_are_never_farther_from_those_of_floats_than_with_either_start(string name, string form, double most)
    {
        var (network, quantizer) = (name == "dense" ? s_dense : s_convolutions, Notation.Parse<Quantizer>(form, null));
        var rows = Draw(network);
        var exact = Run(network, rows);
        double Error(Network quantized) => Run(quantized, rows).Zip(exact, (a, b) => Math.Pow((double)a - b, 2)).Sum();
        var learned = Error(network.Quantize(quantizer, rows, s_learned));
        var least = new[] { QuantizationRange.MinMax, QuantizationRange.MeanSquaredError }
            .Min(range => Error(Measured(network, quantizer, rows, range, range)));
        Console.WriteLine($"{name} {form}: {least} -> {learned}");
        Assert.IsLessThanOrEqualTo(most * least, learned);
    }

    [TestMethod]
    public void A_layer_of_one_number_a_row_ends_near_the_best_of_all_steps()
    {
        // Each row is a unit of its own, so that the error of the outputs is that of the weights.
        var random = new Random(2);
        var network = Network.Sequential([6], Layer.Dense(9, bias: false)).Initialize(1)
            .With("fc1.weight", [.. Enumerable.Range(0, 54).Select(_ => (float)(random.NextDouble() * 2 - 1))]);
        float[] rows = [.. Enumerable.Range(0, 6 * 6).Select(i => i % 7 == 0 ? 1f : 0)];
        var learned = network.Quantize(Quantizer.Weights(3), rows, QuantizationRange.Learned(400));
        var (near, units) = (0, network["fc1.weight"].Values.ToArray().Chunk(6).Zip(learned["fc1.weight"].Values.ToArray().Chunk(6)).ToArray());
        foreach (var (weights, rounded) in units)
        {
            double Error(double scale) => weights.Sum(weight => Math.Pow(weight - Math.Clamp(Math.Round(weight / scale), -3, 3) * scale, 2));
            var best = Enumerable.Range(1, 2000).Min(i => Error(weights.Max(Math.Abs) * i / 3000));
            near += weights.Zip(rounded, (a, b) => Math.Pow((double)a - b, 2)).Sum() <= 1.02 * best ? 1 : 0;
        }

        // With six weights the error is jagged, and what is nearest downhill may not be the lowest.
        Assert.IsGreaterThan(units.Length / 2, near);
    }

    [TestMethod]
    public void Weights_alone_are_learned_where_their_range_says_so()
    {
        var rows = Draw(s_dense);
        Network Quantize(QuantizationRange range, QuantizationRange weights) => Measured(s_dense, Quantizer.Int8(), rows, range, weights);
        var (plain, alone, both) = (Quantize(QuantizationRange.MinMax, QuantizationRange.MinMax), Quantize(QuantizationRange.MinMax, s_learned),
            Quantize(s_learned, QuantizationRange.MinMax));
        string[] between = [.. plain.Parameters.Where(parameter => parameter.Shape.Length == 0).Select(parameter => parameter.Name)];
        Assert.IsGreaterThanOrEqualTo(3, between.Length);
        Assert.IsTrue(between.All(name => plain[name].Values.SequenceEqual(alone[name].Values)));
        Assert.IsFalse(between.All(name => plain[name].Values.SequenceEqual(both[name].Values)));
        Assert.IsFalse(plain["fc3.weight"].Grid!.Scales.SequenceEqual(alone["fc3.weight"].Grid!.Scales));
    }

    [TestMethod]
    public void The_same_seed_gives_the_same_bits_and_pruned_weights_stay_zero()
    {
        var network = s_convolutions.WithParameters([s_convolutions["conv2.weight"].WithValues([.. s_convolutions["conv2.weight"].Values.ToArray()
            .Select((value, i) => i % 3 == 0 ? 0 : value)])]);
        var rows = Draw(network);
        var (a, b) = (network.Quantize(Quantizer.Int8(), rows, s_learned), network.Quantize(Quantizer.Int8(), rows, s_learned));
        foreach (var parameter in a.Parameters)
        {
            Assert.AreSequenceEqual(parameter.Values.ToArray(), b[parameter.Name].Values.ToArray(), parameter.Name);
        }

        var kept = a["conv2.weight"].Values.ToArray();
        Assert.IsTrue(Enumerable.Range(0, kept.Length).All(i => i % 3 > 0 || kept[i] == 0));
    }

    [TestMethod]
    public void Rows_are_asked_for_and_what_is_no_number_is_refused()
    {
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => s_dense.Quantize(Quantizer.Weights(4), range: s_learned)).Message, "rows");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => QuantizationRange.Learned(0));
    }

    [TestMethod]
    public void Layers_that_are_not_run_by_themselves_keep_their_start_and_are_told()
    {
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin(i))];
        var network = new Network(new TensorInfo("x", [3, 2, 4]), "h",
            [new Node("lstm", "LSTM", ["x", "w", "r"], ["", "h", ""], [new("hidden_size", 5L)])],
            [new Parameter("w", [1, 20, 4], Values(80), true, Initializer.Zero), new Parameter("r", [1, 20, 5], Values(100), true, Initializer.Zero)]);
        var warnings = new List<string>();
        var data = GivenRows.Of(network, Values(6 * network.RowSize));
        Quantizer.Weights(4).Quantize(network, new() { Range = s_learned, Rows = data, Calibration = () => GivenRows.Calibration(data), Warnings = warnings });
        Assert.IsTrue(warnings.Any(warning => warning.Contains("'lstm' keeps", StringComparison.Ordinal)), string.Join('\n', warnings));
    }

    [TestMethod]
    public void A_network_with_a_parameter_of_no_values_is_run_as_others_are()
    {
        var network = Network.FromOnnx(Case.File("zero_min"));
        // It joins values of its own to those of a row, which is then one.
        var rows = Enumerable.Range(0, network.RowSize).Select(i => MathF.Sin(i)).ToArray();
        Assert.Contains(parameter => parameter.Count == 0, network.Parameters);
        var exact = Run(network, rows);
        double Error(QuantizationRange range, WeightRounding rounding) => Run(network.Quantize(Quantizer.Weights(8), rows, range, rounding), rows)
            .Zip(exact, (a, b) => Math.Pow((double)a - b, 2)).Sum();
        var plain = Error(QuantizationRange.MinMax, WeightRounding.Nearest);
        Assert.IsLessThanOrEqualTo(plain, Error(s_learned, WeightRounding.Nearest));
        Assert.IsLessThan(4 * plain, Error(QuantizationRange.MinMax, WeightRounding.AdaRound(20)));
    }

    /// <summary>With ranges of what lies between layers and of weights.</summary>
    private static Network Measured(Network network, Quantizer quantizer, float[] rows, QuantizationRange range, QuantizationRange weights)
    {
        var data = GivenRows.Of(network, rows);
        return quantizer.Quantize(network, new() { Range = range, WeightRange = weights, Rows = data, Count = int.MaxValue,
            Calibration = () => GivenRows.Calibration(data) });
    }

    private static float[] Run(Network network, float[] rows)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        using var session = new InferenceSession(OnnxWriter.Write(network).ToByteArray(), options);
        using var run = new RunOptions();
        long[] shape = [rows.Length / network.RowSize, .. network.Input.Shape.Skip(1).Select(size => (long)size)];
        using var input = OrtValue.CreateTensorValueFromMemory(rows, shape);
        using var outputs = session.Run(run, session.InputNames, [input], session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static float[] Draw(Network network)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, Rows * network.Input.RowSize).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
            * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
